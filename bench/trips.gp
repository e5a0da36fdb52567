# Round trips as bars. data: a line each, in the order of these names; a column a
# kernel.
set terminal svg size 860,520 font 'sans-serif,14' background 'white'
set output output
set datafile missing '-'
set title 'Round trips: the program is told of an access, and goes on' font ',16'
set ylabel 'instructions'
set yrange [0:*]
set ytics format '%.0f'
set grid ytics back lc rgb '#dddddd'
set key left top reverse Left
set style data histogram
set style histogram clustered gap 1
set style fill solid
set boxwidth 0.9
set bmargin 4
set xrange [-0.6:6.6]
set xtics scale 0 font ',12' ("int3" 0, "SIGSEGV" 1, "sigtrap\nwatchpoint" 2, "sigtrap\nexecute" 3, \
	"ptrace\nwatchpoint" 4, "signal of\nO\\_ASYNC" 5, "ring buffer\nand poll" 6)
plot for [i = 1:3] data using i lc rgb word('#c03030 #2060c0 #30a060', i) title columnheader
