# Thread creation against live threads. data: live, then a column a line.
set terminal svg size 860,520 font 'sans-serif,14' background 'white'
set output output
set datafile missing '-'
set title 'A thread created and joined, that inherits a watchpoint' font ',16'
set xlabel 'live threads'
set ylabel 'instructions'
set logscale x 4
set logscale y
set xrange [0.8:5120]
set xtics (1, 4, 16, 64, 256, 1024, 4096)
set ytics format '%.0s %c'
set yrange [10000:*]
set grid back lc rgb '#dddddd'
set key left top reverse Left
set style data linespoints
plot data using 1:2 lw 2 dt 2 pt 6 lc rgb '#888888' title columnheader, \
     for [i = 3:5] '' using 1:i lw 2 pt 7 lc rgb word('#c03030 #2060c0 #30a060', i - 2) title columnheader, \
     for [i = 6:7] '' using 1:i lw 1 pt 5 lc rgb word('#c03030 #2060c0', i - 5) title columnheader
