#!/usr/bin/perl
# sigwatch: every access is told, where it was made, whatever the program does;
# and what it cannot do, it says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use JSON::PP;
use Test::More;

my $folder = scratch() . '/payload';
my ($status, $out, $err) = sh('exec tests/sigwatch/payload.sh "$F"', env => {F => $folder});
is $status, 0, 'it builds, and so do its programs' or BAIL_OUT($out . $err);
is $err, '', '... without a warning';

# The line of a source that ends in /* NAME */.
my %line;
for my $file (qw(victim.c library.c)) {
	my $n = 0;
	for (split /\n/, slurp(top . "/tests/sigwatch/$file")) {
		$n++;
		$line{$1} = "$file:$n" if m{/\* (\w+) \*/$};
	}
}

# All in one guest, which takes longer to boot than most take to run.
my (@cases, %case, %got);
sub case {
	my ($name, $text, $check) = @_;
	die "two cases of the name '$name'" if $case{$name};
	$case{$name} = {name => $name, text => $text, check => $check};
	push @cases, $case{$name};
}
# CASES= runs only those whose names match.
sub run_cases {
	@cases = grep { $_->{name} =~ /$ENV{CASES}/ } @cases if length($ENV{CASES} // '');
	mkdir "$folder/cases";
	my $n = 0;
	# What has to happen first is waited for, not slept for.
	my $until = q(stopped() { until pid=$(pidof victim) && grep -q 'T (stopped)' /proc/$pid/status; do sleep 0.1; done; }
		# Each thread in futex(2), ten times on end.
		all_wait() { n=0; while [ $n -lt 10 ]; do sleep 0.1; if grep -qv '^202 ' /proc/$(pidof $1)/task/*/syscall; then n=0; else n=$((n + 1)); fi; done; }
		waiting() { until grep -q waiting /tmp/out; do sleep 0.1; done; }
	);
	spew("$folder/cases/" . $n++, "$until\n$_->{text}") for @cases;
	spew("$folder/run", q(
		cp -a system/. /
		chown nobody victim-setuid; chmod u+s victim-setuid
		ulimit -c unlimited
		echo /tmp/core >/proc/sys/kernel/core_pattern
		for i in $(seq 0 $(($(ls cases | wc -l) - 1))); do
			setsid sh cases/$i >/tmp/out 2>/tmp/err </dev/null
			echo "@$i $? $(wc -c </tmp/out) $(wc -c </tmp/err)"
			cat /tmp/out /tmp/err
		done
	));
	my ($status, $out, $err) = guest('sigwatch', 'exec sh run', folder => $folder, env => {GUEST_TIMEOUT => $ENV{GUEST_TIMEOUT} || 900});
	is $status, 0, 'the guest ran' or diag $err, substr($out, -2000);
	while ($out =~ /\G@(\d+) (\d+) (\d+) (\d+)\n/gc) {
		my ($i, $s, $o, $e) = ($1, $2, $3, $4);
		my $at = pos $out;
		$cases[$i]{got} = [$s, substr($out, $at, $o), substr($out, $at + $o, $e)];
		pos($out) = $at + $o + $e;
	}
	for my $case (@cases) {
		subtest $case->{name} => sub {
			ok $case->{got}, 'it ended' or return;
			$case->{check}->(@{$case->{got}});
			Test::More->builder->is_passing or
				diag "status $case->{got}[0]\nstdout:\n", substr($case->{got}[1], 0, 3000), "stderr:\n", substr($case->{got}[2], 0, 3000);
		};
	}
}

# Text into what JSON has, as far as the text goes.
sub hits {
	my ($text) = @_;
	my @hits;
	for (split /\n/, $text) {
		if (m{^(\d\d:\d\d:\d\d\.\d{6}) (\d+)/(\d+) (.*?): (\S+): (write|read\?|execute) ([1248]) at (0x[0-9a-f]+)(?:: (\S+) -> (\S+))?( \(late\))?$}) {
			push @hits, {time => $1, pid => $2, tid => $3, name => $4, watch => $5, access => $6, length => $7, address => $8,
				old => $9, new => $10, late => $11 ? 1 : 0, frames => []};
		} elsif (/^    \.\.\.$/ && @hits) {
			$hits[-1]{more} = 1;
		} elsif (/^    (\S+)(?: \((.*)\))?$/ && @hits) {
			push @{$hits[-1]{frames}}, {place => $1, where => $2};
		}
	}
	return @hits;
}
sub frame { my ($hit, $i) = @_; my $f = $hit->{frames}[$i] // return ''; ($f->{place} =~ s/\+0x[0-9a-f]+$//r) . ' ' . ($f->{where} // '') }
sub values_of { join ' ', map { ($_->{old} // '-') . '>' . ($_->{new} // '-') } @_ }

# One that is watched, with what the first hit must be.
sub watched {
	my ($name, $text, %want) = @_;
	case($name, $text, sub {
		my ($status, $out, $err) = @_;
		my @hits = hits($err);
		is $status, $want{status} // 0, 'status';
		is scalar(@hits), $want{hits}, 'hits' if defined $want{hits};
		is values_of(@hits), $want{values}, 'old and new values' if defined $want{values};
		is frame($hits[0] // {}, 0), $want{place}, 'place' if defined $want{place};
		is frame($hits[0] // {}, 1), $want{caller}, 'called from' if defined $want{caller};
		like $err, $want{like}, 'stderr' if $want{like};
		is $out, $want{out}, 'stdout' if defined $want{out};
		is $hits[0]{$_}, $want{first}{$_}, "the first hit's $_" for sort keys %{$want{first} // {}};
		$want{more}->($out, $err, @hits) if $want{more};
	});
}

my %bump = (place => "bump $line{bump}", caller => "call_bump $line{call_bump}", hits => 1, values => '7>8');

# What is watched.
for my $victim (qw(victim victim-nopie)) {
	watched("$victim: a variable", "./sigwatch counter -- ./$victim bump", %bump,
		first => {access => 'write', length => 4, watch => 'counter', name => $victim, late => 0},
		like => qr/^sigwatch: counter: 1 hit in 1 thread$/m);
	watched("$victim: a function", "./sigwatch -x bump -- ./$victim bump", hits => 1, place => "bump $line{bump}",
		caller => "call_bump $line{call_bump}", values => '->-', first => {access => 'execute', length => 8});
	watched("$victim: a library's variable", "./sigwatch library_count -- ./$victim library", hits => 1, values => '0>5',
		place => "library_touch $line{library}", out => "shared 6\n");
	watched("$victim: a library's variable that may be the program's copy", "./sigwatch libvictim:shared_count -- ./$victim library",
		hits => 1, values => '0>6', like => $victim eq 'victim-nopie' ? qr/all use the program's copy of it/ : qr/1 hit/);
}
watched('a symbol of a file of its own', './sigwatch counter -- ./victim-split bump', %bump);
watched('no --', './sigwatch counter ./victim bump', %bump);
watched('PATH', 'PATH=/nowhere:$PWD:/bin; sigwatch counter -- victim bump', %bump);
watched('LIB:SYMBOL of the program', './sigwatch victim:counter -- ./victim bump', %bump);
watched('LIB by path', './sigwatch ./libvictim.so:library_count -- ./victim library', hits => 1);
watched('LIB by full name', './sigwatch libvictim.so:library_count -- ./victim library', hits => 1);
watched('SYMBOL+OFFSET', './sigwatch table+16/8 -- ./victim sizes', hits => 1, values => '0>22', place => "main $line{table2}");
watched('a part of it', './sigwatch counter+0x1/1 -- ./victim sizes', hits => 1, values => '0>-18');
for my $victim (qw(victim victim-nopie)) {
	my ($address) = (sh("nm '$folder/$victim'"))[1] =~ /^0*([0-9a-f]+) \w counter$/m;
	watched("$victim: MODULE+OFFSET", "./sigwatch -l 4 $victim+0x$address -- ./$victim bump", %bump);
	watched("$victim: 0xADDRESS", "./sigwatch 0x$address/4 -- ./$victim bump", %bump) if $victim eq 'victim-nopie';
	watched('a stripped program', "./sigwatch -l 4 victim-stripped+0x$address -- ./victim-stripped bump", hits => 1, values => '7>8',
		place => 'victim-stripped ', more => sub {
			my ($out, $err, @hits) = @_;
			my ($offset) = $hits[0]{frames}[0]{place} =~ /\+(0x[0-9a-f]+)$/;
			# For after the access.
			like +(sh(sprintf "addr2line -e '%s' 0x%x", "$folder/victim", hex($offset) - 1))[1], qr/\Q$line{bump}\E$/m,
				'... whose place addr2line knows, from the unstripped one';
		}) if $victim eq 'victim';
}
watched('lengths', './sigwatch byte,half,counter,word -- ./victim sizes', hits => 4,
	values => '0>-1 0>300 7>-70000 0>-5000000000', more => sub {
		my ($out, $err, @hits) = @_;
		is join(' ', map { $_->{length} } @hits), '1 2 4 8', 'of each symbol';
		is join(' ', map { frame($_, 0) =~ s/.* //r } @hits), "@line{qw(byte half word32 word64)}", 'places';
	});
watched('reads', './sigwatch -r counter -- ./victim reads', hits => 2, values => '7>7 7>8', more => sub {
	my ($out, $err, @hits) = @_;
	is join(' ', map { $_->{access} . ' ' . frame($_, 0) } @hits), "read? main $line{read} write main $line{written}", 'told apart';
});
watched('reads are no writes', './sigwatch -w counter -- ./victim reads', hits => 1, values => '7>8');
watched('a kind for each', './sigwatch -w counter/r,bump/x,half/2w -- ./victim bump', hits => 2, values => '->- 7>8', first => {access => 'execute', watch => 'bump/x'});

# Threads, children, and what else a program does.
case('every hit of every thread', './sigwatch -b 1 -o /tmp/hits counter -- ./victim threads 8 500; s=$?; cat /tmp/hits; exit $s', sub {
	my ($status, $out, $err) = @_;
	my @hits = hits($out);
	my (%of, %tids);
	$of{$_->{name}}++, $tids{$_->{tid}}++ for @hits;
	is $status, 0, 'status';
	is_deeply \%of, {map { ("thread-$_" => 500) } 0 .. 7}, '500 hits of each of 8';
	is scalar(keys %tids), 8, 'as many tids';
	is $err, "sigwatch: counter: 4000 hits in 8 threads\n", 'the summary counts the same';
	is scalar(grep { @{$_->{frames}} != 1 } @hits), 0, '-b 1: one frame each';
});
# Stopped, it prints nothing: the ring fills up, and each thread waits with a hit when it is killed.
case('killed with hits that wait', 'rm -f /tmp/hits; ./sigwatch -b 1 -o /tmp/hits counter -- ./victim threads 4 20000 & sigwatch=$!
	for i in 0 1 2 3; do until grep -q "thread-$i:" /tmp/hits 2>/dev/null; do sleep 0.1; done; done; kill -STOP $sigwatch; all_wait victim; kill -KILL $(pidof victim); kill -CONT $sigwatch; wait $sigwatch; s=$?; cat /tmp/hits; exit $s', sub {
	my ($status, $out, $err) = @_;
	is $status, 137, 'status';
	my @hits = hits($out);
	my ($told) = $err =~ /^sigwatch: counter: (\d+) hits in 4 threads$/m;
	is $told, scalar(@hits), 'the summary counts those that are told';
	cmp_ok $told, '>=', 512, 'as many as there was room for';
	like $err, qr/^sigwatch: 4 of the hits could not be recorded$/m, '... and says how many are not';
});
watched('children are not watched', './sigwatch counter -- ./victim forks', hits => 1, values => '7>8');
watched('-f: children are, and are waited for', './sigwatch -f counter -- ./victim forks', hits => 3, more => sub {
	my ($out, $err, @hits) = @_;
	is join(' ', sort map { ($_->{old} // '-') . '>' . ($_->{new} // '-') } @hits), '7>8 7>8 8>9', "each in its own memory";
	my %pids = map { $_->{pid} => 1 } @hits;
	is scalar(keys %pids), 3, 'pids';
});
for my $f ('', '-f') {
	watched("exec $f", "./sigwatch $f counter -- ./victim exec", hits => 1, values => '7>8', out => "LD_PRELOAD -\nSIGWATCH_AGENT -\n");
}
watched("system() $_", "./sigwatch $_ counter -- ./victim system", hits => 1, values => '7>8', out => "LD_PRELOAD -\nSIGWATCH_AGENT -\n") for '', '-f';
watched("the user's LD_PRELOAD", 'LD_PRELOAD=./plugin.so ./sigwatch counter -- ./victim environment', hits => 1,
	out => "LD_PRELOAD ./plugin.so\nSIGWATCH_AGENT -\n");
watched('preloaded for that', 'LD_PRELOAD=./plugin.so ./sigwatch plugin.so:library_count -- ./victim library', hits => 1, values => '0>5');
watched('a library loaded later, and the end', './sigwatch counter -- ./victim plugin ./plugin.so', status => 137, hits => 1, values => '7>99',
	place => "plugin_touch $line{plugin}");
watched('all descriptors closed', './sigwatch counter -- ./victim close', hits => 1, out => "descriptor 3\n");
watched('stacks', './sigwatch -b 2 counter -- ./victim stacks', hits => 2, values => '7>8 8>9', more => sub {
	my ($out, $err, @hits) = @_;
	is frame($hits[0], 0), "bump $line{bump}", 'on an alternate one';
	like frame($hits[1], 0), qr/^main victim\.c/, 'on none';
});
watched('a stack that is too deep', './sigwatch counter -- ./victim deep', hits => 1, place => "bump $line{bump}", caller => "deep $line{deep}",
	like => qr/^    \.\.\.$/m);
watched('SIGTRAP blocked by a raw system call', './sigwatch counter -- ./victim late', hits => 1, values => '7>8', first => {late => 1});
watched('a strange name', q(./sigwatch counter -- ./victim name "$(printf 'a\001\303\244\377b')"), hits => 1,
	first => {name => "a?\xc3\xa4?b"});

watched('a file with a strange name', './sigwatch -b 1 counter -- ./victim strange', hits => 1, place => 'strange str?nge.c:3');

# The program's own SIGTRAPs.
for (['traps', 21], ['waits', 29]) {
	my ($mode, $lines) = @$_;
	case("its $mode, alone", "./victim $mode", sub { is $_[0], 0, 'status'; is scalar(split /\n/, $_[1]), $lines, 'what it says' });
	watched("its $mode, watched", "timeout 60 ./sigwatch counter -- ./victim $mode", more => sub {
		my ($out, $err, @hits) = @_;
		is $out, $case{"its $mode, alone"}{got}[1], 'it sees the same';
		is scalar(grep { $_->{late} } @hits), 0, 'no hit is late';
		my ($last) = values_of($hits[-1] // {}) =~ />(\d+)$/;
		is scalar(@hits), ($last // 0) - 7, 'no hit is missing';
		cmp_ok scalar(@hits), '>=', 10, 'there are some';
	});
}
watched('threads that begin with SIGTRAP blocked', './sigwatch counter -- ./victim blocked-threads', values => '7>8 8>9 9>10 10>11', out => "in the timer's thread 1\n",
	more => sub { is scalar(grep { $_->{late} } @_[2 .. $#_]), 0, 'no hit is late' });
watched('a function that the agent has, too', './sigwatch -x libc:sigprocmask -- ./victim waits', more => sub { cmp_ok scalar(@_) - 2, '>=', 2, 'hits' });
for (['its int3 kills', 'int3', 133], ['a signal kills', 'kill 15', 143], ['a SIGTRAP kills', 'kill 5', 133], ['SIGSEGV kills', 'kill 11', 139]) {
	my ($name, $mode, $want) = @$_;
	watched($name, "./sigwatch counter -- ./victim $mode", status => $want);
	case("$name, alone", "./victim $mode", sub { is $_[0], $want, 'status' });
}
watched('SIGTERM is passed on', './sigwatch counter -- ./victim wait & pid=$!; waiting; kill $pid; wait $pid', status => 143, hits => 1);
watched('SIGSTOP is not the end', './sigwatch counter -- ./victim kill 19 & stopped; kill -CONT $pid; sleep 1; kill %1; wait %1', status => 143, hits => 1);
watched('the launcher dies, the program goes on', './sigwatch -o /tmp/o -x counter+0 -- ./victim exit 0; ./sigwatch -o /tmp/o counter -- ./victim wait & pid=$!; waiting; kill -9 $pid; sleep 1; pidof victim >/dev/null && kill $(pidof victim) && echo alive',
	like => qr/is data/, more => sub { like $_[0], qr/^alive$/m, 'alive' });
watched('exit status', './sigwatch counter -- ./victim exit 42', status => 42, hits => 0, like => qr/^sigwatch: counter: 0 hits in 0 threads$/m);

# The options that have not been named yet.
watched('-n', './sigwatch -n 3 counter -- ./victim threads 4 50', hits => 3, like => qr/^sigwatch: counter: 3 hits in \d threads?$/m);
watched('-b 0', './sigwatch -b 0 counter -- ./victim bump', hits => 1, more => sub { is scalar(@{$_[2]{frames}}), 0, 'no frame' });
watched('-b 32', './sigwatch -b 32 counter -- ./victim bump', hits => 1, more => sub { cmp_ok scalar(@{$_[2]{frames}}), '>=', 5, 'down to the start' });
watched('-b 2', './sigwatch -b 2 counter -- ./victim bump', hits => 1, more => sub { is scalar(@{$_[2]{frames}}), 2, 'two' });
watched('--output', './sigwatch --output "/tmp/a file" counter -- ./victim bump; cat "/tmp/a file"', hits => 0, like => qr/^sigwatch: counter: 1 hit in 1 thread\n\z/,
	more => sub { is scalar(hits($_[0])), 1, 'the hit is in FILE' });
watched('long options', './sigwatch --write --length 4 --max 1 --follow --backtrace 3 counter -- ./victim bump', hits => 1);
case('--help', './sigwatch --help', sub {
	my ($status, $out, $err) = @_;
	is $status, 0, 'status';
	like $out, qr/^Usage: sigwatch /, 'usage';
	my $readme = slurp(top . '/sigwatch/README.md');
	like $readme, qr/`\Q$_\E/, "README.md has $_" for $out =~ /(--[a-z]+(?:-[a-z]+)?)/g;
});
case('--version', './sigwatch -V', sub { is $_[0], 0, 'status'; like $_[1], qr/^sigwatch \d/, 'version' });

# JSON says the same as text. Addresses and pids differ from run to run, or need not.
# QEMU tells a watchpoint once more with a hit of one that was set before it, so they are in the order of their hits.
my $both = '-r half,counter,bump/x -- ./victim-nopie';
case('text', "./sigwatch $both reads; ./sigwatch $both bump; ./sigwatch $both sizes; ./sigwatch $both late; ./sigwatch $both deep", sub { is $_[0], 0, 'status' });
case('JSON', "./sigwatch -j $both reads; ./sigwatch -j $both bump; ./sigwatch -j $both sizes; ./sigwatch -j $both late; ./sigwatch -j $both deep", sub {
	my ($status, $out, $err) = @_;
	my @json = map { eval { decode_json($_) } // fail "JSON: $_" } split /\n/, $err;
	my @hits = grep { $_->{event} eq 'hit' } @json;
	my @text = hits($case{text}{got}[2]);
	is scalar(@hits), scalar(@text), 'as many hits';
	cmp_ok scalar(@hits), '>=', 8, '... of many kinds';
	my $base = sub { $_[0] =~ s{.*/}{}r };
	for my $i (0 .. $#hits) {
		my ($j, $t) = ($hits[$i], $text[$i] // {});
		my %j = map { $_ => $j->{$_} } qw(name watch access length address old new);
		is_deeply \%j, {map { $_ => $t->{$_} } keys %j}, "hit $i";
		is $j->{late} ? 1 : 0, $t->{late}, '... late';
		is $j->{more} ? 1 : 0, $t->{more} // 0, '... more';
		is_deeply [map { [
			defined $_->{function} ? sprintf('%s+0x%x', $_->{function}, $_->{offset}) : defined $_->{module} ? sprintf('%s+0x%x', $base->($_->{module}), $_->{offset}) : $_->{pc},
			defined $_->{file} ? $base->($_->{file}) . ":$_->{line}" : defined $_->{function} ? $base->($_->{module}) : undef,
		] } @{$j->{frames}}], [map { [$_->{place}, $_->{where}] } @{$t->{frames}}], '... frames';
		cmp_ok abs($j->{time_ns} / 1e9 - time), '<', 3600, '... time';
	}
	my @summaries = grep { $_->{event} eq 'summary' } @json;
	is scalar(@summaries), 5, 'a summary for each run';
	my $sum = 0;
	$sum += $_->{hits} for map { @{$_->{watches}} } @summaries;
	is $sum, scalar(@hits), '... that counts the hits';
	is $_->{lost}, 0, '... of which none is lost' for @summaries;
});
case('JSON of a strange name', q(./sigwatch -j counter -- ./victim name "$(printf '"\\\\\001\303\244\377')"), sub {
	my ($hit) = map { decode_json($_) } split /\n/, $_[2];
	is $hit->{name}, qq("\\\x01\xe4\xff), 'name';
});

# --stop.
watched('--stop: waits for a debugger', './sigwatch --stop 2 counter -- ./victim threads 1 3 & stopped; grep State /proc/$pid/status; kill -CONT $pid; wait %1',
	hits => 3, like => qr/^sigwatch: stopped at hit 2, thread \d+ \(thread-0\): 'gdb -p \d+' attaches, 'kill -CONT \d+' lets it go on$/m,
	more => sub { like $_[0], qr/T \(stopped\)/, 'all of it is stopped' });
# Of a core dump, the thread that it is of: signal, pc and tid, and which watch's signal it was.
spew("$folder/core.py", <<'EOF');
import sys
d = open(sys.argv[1], 'rb').read()
def n(at, size): return int.from_bytes(d[at:at + size], 'little')
for header in range(n(32, 8), n(32, 8) + 56 * n(56, 2), 56):
    if n(header, 4) == 4:
        def desc(kind):
            note = n(header + 8, 8)
            while n(note + 8, 4) != kind:
                note += 12 + (n(note, 4) + 3 & ~3) + (n(note + 4, 4) + 3 & ~3)
            return note + 12 + (n(note, 4) + 3 & ~3)
        regs, info = desc(1), desc(0x53494749)
        print(n(regs + 12, 2), hex(n(regs + 112 + 16 * 8, 8)), n(regs + 32, 4), n(info + 24, 8) & 3)
        break
EOF
watched('--stop --stop-with core', 'rm -f /tmp/core*; ./sigwatch -b 1 --stop 2 --stop-with core counter -- ./victim-nopie threads 1 3; s=$?; python3.11 -I -S core.py /tmp/core*; rm /tmp/core*; exit $s',
	status => 133, like => qr/^sigwatch: ended at hit 2, thread \d+ \(thread-0\), with SIGTRAP$/m, more => sub {
		my ($out, $err, @hits) = @_;
		my ($bump) = (sh("nm '$folder/victim-nopie'"))[1] =~ /^([0-9a-f]+) T bump$/m;
		my ($offset) = ($hits[1]{frames}[0]{place} // '') =~ /^bump\+(0x[0-9a-f]+)$/;
		is $out, sprintf("5 0x%x %d 0\n", hex($bump) + hex($offset // 0), $hits[1]{tid}), 'the core is of SIGTRAP at the place of the hit';
	});
# Where the signal of another watch waits already, it is not that.
watched('--stop --stop-with core, of two', 'rm -f /tmp/core*; ./sigwatch -s 1 --stop-with core counter,word -- ./victim-nopie both; s=$?
	python3.11 -I -S core.py /tmp/core* | cut -d" " -f1,4; rm /tmp/core*; exit $s', status => 133, out => "5 0\n", hits => 1);
# A thread that is owed a signal takes it before; or else it might be the one that dies.
watched('--stop --stop-with core, of one before another', 'rm -f /tmp/core*; ./sigwatch -b 0 -s 1 --stop-with core counter -- ./victim-nopie behind; s=$?
	python3.11 -I -S core.py /tmp/core* | cut -d" " -f3; rm /tmp/core*; exit $s', status => 133, hits => 2, more => sub {
	my ($out, $err, @hits) = @_;
	is $out, "$hits[0]{tid}\n", 'the dump is of the first to be told';
	is $hits[0]{name}, 'thread-0', '... which is the thread';
	is $hits[1]{late}, 1, '... and main is told after it';
});
# While others hit, too: the thread that the dump is of is that of the hit, also where others are owed a signal just then.
watched("--stop --stop-with core, of many: $_", "rm -f /tmp/core*; for i in 1 2 3 4 5 6 7 8 9 10; do
	./sigwatch -b 0 -s 50 --stop-with core counter,word -- ./victim-nopie $_ 8 20000 2>&1 | sed -n 's/^sigwatch: ended .* thread \\([0-9]*\\) .*/\\1/p'
	python3.11 -I -S core.py /tmp/core* | cut -d' ' -f3; rm /tmp/core*; done", more => sub {
	my @seen = split /\n/, $_[0];
	is scalar(@seen), 20, 'ten dumps';
	is $seen[2 * $_], $seen[2 * $_ + 1], "the thread of dump $_" for 0 .. 9;
}) for qw(threads owed);
watched('--stop --stop-with core, while it exits', 'for i in 1 2 3 4 5 6 7 8 9 10; do
	./sigwatch -s 1 --stop-with core counter -- ./victim exits; echo $?; done; rm -f /tmp/core*', out => "133\n" x 10);
watched('--stop at code that is new', './sigwatch -b 1 -s 1 --stop-with core counter -- ./victim plugin ./plugin.so; s=$?; rm -f /tmp/core*; exit $s', status => 133, hits => 1,
	place => "plugin_touch $line{plugin}");
watched('one dump, of the program', 'echo "|/payload/dump %p" >/proc/sys/kernel/core_pattern; ./sigwatch -s 1 --stop-with core counter -- ./victim bump; s=$?
	sleep 1; echo /tmp/core >/proc/sys/kernel/core_pattern; cat /tmp/dumps; exit $s', status => 133, more => sub { is $_[0], "$_[2]{pid}\n", 'and none of sigwatch' });
spew("$folder/dump", "#!/bin/sh\necho \$1 >>/tmp/dumps\ncat >/dev/null\n");
chmod 0755, "$folder/dump" or die $!;
watched('--stop: where Yama asks the process', 'echo 1 >/proc/sys/kernel/yama/ptrace_scope; chmod 755 / /payload; chmod a+r /payload/*; ./nobody ./sigwatch --stop 1 counter -- ./victim bump & stopped; ./nobody ./attach $pid; echo $?; kill -KILL $pid; wait %1',
	status => 137, hits => 1, out => "0\n");
watched('--stop --stop-with core, without core dumps', 'ulimit -c 0; ./sigwatch -s 1 --stop-with core counter -- ./victim bump', status => 133,
	like => qr/^sigwatch: ended at hit 1, .*; no core dump, as 'ulimit -c' is 0$/m);

# Programs of Debian's, as they are.
watched('bash', q(./sigwatch -l 4 last_command_exit_value -- bash -c 'false; (exit 3); true'), more => sub {
	my ($out, $err, @hits) = @_;
	my @seen = grep { $_->{new} } @hits;
	is join(' ', map { $_->{new} } @seen[0 .. 0]), 1, 'false leaves 1';
	ok scalar(grep { $_->{new} == 3 } @hits), '3 comes by';
	like frame($hits[0], 0), qr/^bash |^\w+ \(bash\)|^\w+ bash/, 'in bash';
});
watched('a script', './sigwatch -l 4 last_command_exit_value -- ./script', status => 1, more => sub { ok scalar(grep { $_->{new} == 1 } @_[2 .. $#_]), 'false leaves 1' });
watched('python', q(./sigwatch -n 5 _Py_NoneStruct/8 -- python3.11 -I -S -c 'print("hello")'), hits => 5, out => "hello\n");
watched('ls', './sigwatch optind -- /usr/bin/ls -l -d /payload/victim', more => sub {
	my ($out, $err, @hits) = @_;
	like $out, qr/victim/, 'it lists';
	cmp_ok scalar(@hits), '>=', 2, 'getopt_long counts';
	like frame($hits[0], 0), qr/libc\.so\.6/, 'in libc';
});
watched('sqlite3', q(./sigwatch -x sqlite3_step -- sqlite3 :memory: 'select 6 * 7;'), out => "42\n",
	more => sub { cmp_ok scalar(@_) - 2, '>=', 1, 'steps'; like frame($_[2], 0), qr/^sqlite3_step libsqlite3\.so/, 'in its library' });
spew("$folder/nobody", <<'EOF');
#!/bin/sh
exec python3.11 -I -S -c 'import posix, sys; posix.setgid(65534); posix.setuid(65534); posix.execv(sys.argv[1], sys.argv[1:])' "$@"
EOF
chmod 0755, "$folder/nobody" or die $!;
watched('as nobody', q(chmod 755 / /payload; chmod a+r /payload/*; ./nobody ./sigwatch counter -- ./victim bump), %bump);
watched('from a folder with a space and a colon', 'mkdir "/tmp/a b:c"; cp sigwatch sigwatch-agent.so "/tmp/a b:c/"; "/tmp/a b:c/sigwatch" counter -- ./victim close', hits => 1, out => "descriptor 3\n");
watched('installed', 'mkdir -p /usr/local/bin /usr/local/lib/sigwatch; cp sigwatch /usr/local/bin; cp sigwatch-agent.so /usr/local/lib/sigwatch; /usr/local/bin/sigwatch counter -- ./victim bump', %bump);

# What is refused. The program's main must not run: it would say so.
sub refused {
	my ($name, $text, $like, $status) = @_;
	case("refused: $name", "export VICTIM_SAYS=1; $text", sub {
		my ($got, $out, $err) = @_;
		is $got, $status // 125, 'status';
		like $err, qr/\Asigwatch: $like\n\z/, 'message';
		is $out, '', 'main has not run';
	});
}
my $w = './sigwatch';
refused('no arguments', $w, qr/WHAT and PROGRAM are wanted: .*/);
refused('no program', "$w counter", qr/WHAT and PROGRAM are wanted: .*/);
refused('no program after --', "$w counter --", qr/no PROGRAM after --/);
refused('options behind WHAT', "$w counter -r ./victim", qr/'-r' comes after WHAT: options go before it, .*/);
refused('-r and -x', "$w -r -x counter ./victim", qr/-r and -x exclude each other: .*/);
refused("-n $_", "$w -n '$_' counter ./victim", qr/--max '\Q$_\E': a number from 1 on is wanted/) for '0', '-1', '1x', '', '99999999999999999999';
refused("-b 33", "$w -b 33 counter ./victim", qr/--backtrace '33': a number from 0 to 32 is wanted/);
refused("-s 0", "$w -s 0 counter ./victim", qr/--stop '0': a number from 1 on is wanted/);
refused('-l 3', "$w -l 3 counter ./victim", qr/--length '3': a watchpoint has a length of 1, 2, 4 or 8/);
refused('-l 16', "$w -l 16 counter ./victim", qr/--length '16': a number from 1 to 8 is wanted/);
refused('/3', "$w counter/3 ./victim", qr{'counter/3': a watchpoint has a length of 1, 2, 4 or 8});
refused('--stop-with', "$w --stop-with x counter ./victim", qr/--stop-with 'x': wait or core is wanted/);
refused('--stop after --max', "$w -n 1 -s 2 counter ./victim", qr/--stop 2 is never reached after --max 1 hits/);
refused('an option that is none', "$w --none counter ./victim 2>&1 >/dev/null | tail -n 1 >&2; exit 125", qr/sigwatch --help tells the options/);
refused('five', "$w a,b,c,d,e ./victim", qr/at most 4 can be watched: .*/);
refused('no WHAT', "$w counter,,half ./victim", qr/'': a SYMBOL, LIB:SYMBOL, MODULE\+OFFSET or 0xADDRESS is wanted/);
refused('a bad offset', "$w counter+x ./victim", qr/'counter\+x': 'x' is no offset: .*/);
refused('a decimal address', "$w -l 4 4096 ./victim", qr/'4096': an address is a hexadecimal number, 0x first/);
refused('an address without a length', "$w 0x1000 ./victim", qr/'0x1000' is an address: say how many bytes to watch, .*/);
refused('an address of the kernel', "$w -l 8 0xffffffff81000000 ./victim", qr/'0xffffffff81000000': 0xffffffff81000000 is not an address of user space/);
refused('a bad place', "$w -l 8 0x1004 ./victim", qr/'0x1004': 0x1004 is not a multiple of 8, .*/);
refused('an offset beyond', "$w -l 4 victim+0x1000000 ./victim", qr/victim\+0x1000000: the module ends before that .*/);
refused('no symbol', "$w nothing ./victim", qr{/payload/victim has no symbol 'nothing' \(nm prints what it has\), nor have the libraries that it is loaded with});
refused('no symbol in LIB', "$w libvictim:nothing ./victim", qr/libvictim has no symbol 'nothing' .*/);
refused('no LIB', "$w libnothing:counter ./victim", qr/no module 'libnothing' is loaded at the start: .*LD_PRELOAD=libnothing\)/);
refused('stripped', "$w counter ./victim-stripped", qr{/payload/victim-stripped has no symbol 'counter': it is stripped, only \d+ exported symbols are left: install its debug symbols \(Debian: the -dbgsym package\), or give an address, victim-stripped\+0xOFFSET});
refused('ambiguous', "$w twin ./victim", qr/'twin' is ambiguous: take one of victim\+0x[0-9a-f]+ victim\+0x[0-9a-f]+/);
refused('thread-local', "$w local_to_thread ./victim", qr/'local_to_thread' is thread-local: .*/);
refused('two versions', "$w -x libc:memcpy ./victim", qr/'memcpy' is ambiguous: take one of libc\.so\.6\+0x[0-9a-f]+ libc\.so\.6\+0x[0-9a-f]+/);
refused('IFUNC', "$w -x libc:strlen ./victim", qr/'strlen' is chosen when the program is loaded \(IFUNC\): .*/);
refused('a function', "$w bump ./victim", qr/'bump' is a function: -x tells when it runs/);
refused('data', "$w -x counter ./victim", qr/'counter' is data: .*/);
refused('a length with -x', "$w -x -l 4 bump ./victim", qr/'bump': a length is for data, .*/);
refused('large', "$w table ./victim", qr{'table' has 128 bytes: say which to watch, SYMBOL\+OFFSET, and how many with -l 1, 2, 4 or 8 \(table/8\)});
refused('no such program', "$w counter ./nothing", qr{\./nothing: No such file or directory}, 127);
refused('no such program in PATH', "$w counter nothing", qr/nothing: no such program in PATH/, 127);
refused('not executable', "$w counter ./not-executable", qr{\./not-executable: Permission denied}, 126);
refused('a folder', "$w counter /tmp", qr{/tmp: Is a directory}, 126);
refused('neither', "$w counter ./neither", qr{\./neither is neither an ELF program nor a script that begins with #!}, 126);
refused('static', "$w counter ./victim-static", qr{\./victim-static is a static program, into which nothing can be preloaded: .*});
refused('32-bit', "$w counter ./victim-32", qr{\./victim-32 is a 32-bit program: .*});
refused('another libc', "$w counter ./victim-musl", qr{\./victim-musl is loaded by /lib/ld-musl-x86_64\.so\.1: .*});
refused('setuid', "$w counter ./victim-setuid", qr{\./victim-setuid is setuid, so LD_PRELOAD is ignored: .*});
refused('env', "$w counter ./script-env", qr{\./script-env is run by /usr/bin/env, .* sigwatch WHAT -- bash \./script-env});
refused('no agent', 'mkdir /tmp/alone; cp sigwatch /tmp/alone; /tmp/alone/sigwatch counter ./victim', qr{sigwatch-agent\.so is neither in /tmp/alone nor in its \.\./lib/sigwatch: .*});
refused('an agent that cannot be loaded', 'mkdir -p /tmp/apart/bin /tmp/apart/lib/sigwatch; cp sigwatch /tmp/apart/bin; mount -t tmpfs -o noexec tmpfs /tmp/apart/lib; mkdir /tmp/apart/lib/sigwatch
	cp sigwatch-agent.so /tmp/apart/lib/sigwatch; /tmp/apart/bin/sigwatch counter ./victim', qr{/tmp/apart/lib/sigwatch/sigwatch-agent\.so cannot be loaded: Operation not permitted: is it mounted with noexec\?});
refused('an output that cannot be', "$w -o /nowhere/x counter ./victim", qr{/nowhere/x cannot be written: No such file or directory});
refused('a kernel without the ABI', "./deny 22 $w counter ./victim", qr/counter: this kernel has no attr\.sigtrap: .*/);
refused('an older kernel', "./deny 7 $w counter ./victim", qr/counter: this kernel has no attr\.sigtrap: .*/);
refused('no perf events', "./deny 38 $w counter ./victim", qr/counter: this kernel has no perf events .*/);
refused('no hardware', "./deny 95 $w counter ./victim", qr/counter: this machine has no hardware breakpoints .*/);
refused('forbidden', "echo 3 >/proc/sys/kernel/perf_event_paranoid; ./deny 13 $w counter ./victim; s=\$?; echo 2 >/proc/sys/kernel/perf_event_paranoid; exit \$s",
	qr{counter: watchpoints are not permitted: /proc/sys/kernel/perf_event_paranoid is 3 \(2 or less, or CAP_SYS_ADMIN, is needed\), .*});
refused('another error', "./deny 24 $w counter ./victim", qr/counter: perf_event_open: Too many open files/);
refused('no free debug register', "./hog 3 $w counter,half ./victim", qr/half: no free debug register: .*/);
watched('a debug register is free', "./hog 3 ./sigwatch counter -- ./victim bump", %bump);
watched('the output is full', './sigwatch -o /dev/full counter -- ./victim threads 2 5; echo $?', out => "0\n",
	like => qr/^sigwatch: the output cannot be written, and ends here: No space left on device$/m);

run_cases();
done_testing;
