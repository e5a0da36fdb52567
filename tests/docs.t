#!/usr/bin/perl
# The manual is true: its programs do what it prints, its numbers are those of
# the kernel's headers, its links lead somewhere, its man pages are well-formed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my $kernel = build() . '/x86_64/usr/include';
my @markdown = sort map { s{^\Q@{[top]}\E/}{}r } glob(join ' ', map { "'" . top . "/$_'" } 'README.md', 'docs/*.md');
my @pages = sort map { s{^\Q@{[top]}\E/}{}r } glob("'" . top . "/docs/man/*'");
cmp_ok scalar(@markdown), '>', 4, 'there is a manual';
cmp_ok scalar(@pages), '>', 2, '... with man pages';

# A page as it is read, in lines long enough for any program.
sub rendered {
	my ($status, $out, $err) = sh('exec groff -man -t -Tascii -P-cbou -rLL=100n -rHY=0 "$P"', env => {P => $_[0]});
	die "$_[0]: $err" if $status;
	return $out;
}
my %text = map { $_ => /\.md$/ ? slurp(top . "/$_") : rendered($_) } @markdown, @pages;

#
# Programs
#

# Of a page, or a part of it: what is printed as code, by section, in order.
sub sections { my ($text, $indent) = @_; my @parts = split /^ {$indent}(\S.*)\n/m, $text, -1; shift @parts; return @parts }

# (name, source) of each program, and (command, output) of each command that is
# shown with a prompt. All that stands there counts, or is an error.
sub programs {
	my ($file) = @_;
	my (@programs, @commands, $name);
	if ($file =~ /\.md$/) {
		while ($text{$file} =~ /^```(\w*)\n(.*?)^```$|^Save this as `(\S+\.c)`/msg) {
			my ($kind, $body) = ($1, $2);
			$name = $3 if defined $3;
			next unless defined $kind;
			if ($kind eq 'c') {
				ok defined $name && $body =~ /^int main\(/m, "$file: a program, and its name" or next;
				push @programs, [$name, $body];
				undef $name;
			}
			elsif ($kind eq 'console') {
				push @commands, map { [split /\n/, $_, 2] } grep { length } split /^\$ /m, $body;
			}
			else { fail "$file: a block of '$kind', which nobody tests" }
		}
		return (\@programs, \@commands);
	}
	my %part = sections($text{$file}, 0);
	my ($shown, $source) = split /^   Program source\n/m, $part{EXAMPLES} // '', 2;
	return ([], []) unless defined $source;
	while ($shown =~ /^( +)\$ (.*)\n/mg) { push @commands, [$2, ''] }
	# The one indented block that is left is the last command's output.
	(my $output) = $shown =~ /^It prints.*\n\n((?: {11}.*\n)+)/m ? $1 : $shown =~ /^ {7}It prints.*\n\n((?: {11}.*\n)+)/m;
	$commands[-1][1] = ($output // die "$file: no output") =~ s/^ {11}//mgr;
	($name) = map { $_->[0] =~ /(\S+\.c)\b/ } @commands;
	$source =~ s/\A\n+//;
	return ([[$name, $source =~ s/^ {7}//mgr =~ s/\n+\z/\n/r]], \@commands);
}

# Which address a variable gets is the linker's business, but not which are the same.
sub masked { my %seen; return $_[0] =~ s/0x[0-9a-f]{6,16}\b/'ADDRESS' . ($seen{$&} \/\/= 1 + keys %seen)/ger }

# Where the commands are typed: it looks like the top of the repository. make
# run is vm/run.sh on a kernel that is up to date (tests/run.t), as it is here.
my $desk = scratch() . '/desk';
mkdir $desk;
mkdir "$desk/strict";
symlink top . '/examples', "$desk/examples" or die $!;
symlink build(), "$desk/build" or die $!;
my $make = <<'END';
make() {
	case $* in
	"run PROG="*) shift && env "$@" "$TOP/vm/run.sh" ;;
	"-C build/x86_64 headers_install") (. "$TOP/base/lib.sh" && "$TOP/base/kmake.sh" "$out" headers_install) >&2 ;;
	*) echo "make $*: not a command that this test knows" >&2; return 1 ;;
	esac
}
END
my ($status, $out, $err) = sh("${make}make -C build/x86_64 headers_install", in => $desk, env => {TOP => top});
is $status, 0, "the kernel's headers" or diag $err;

my (%printed, @strict, $programs);
for my $file (grep { m{^docs/} } @markdown, @pages) {
	my ($sources, $commands) = programs($file);
	my %ran;
	for (@$sources) {
		my ($name, $source) = @$_;
		spew("$desk/$name", $source);
		$programs++;
		next unless $name eq 'first.c';
		my $lines = $source =~ tr/\n//;
		cmp_ok $lines, '<', 40, "$name has less than 40 lines";
		like $text{'README.md'}, qr/A first program\]\([^)]*\) in $lines lines/, '... as many as the README says';
	}
	for (@$commands) {
		my ($command, $expected) = @$_;
		($status, $out, $err) = sh("$make$command", in => $desk, env => {TOP => top});
		is $status, 0, "$file: $command" or diag $err;
		is masked($out), masked($expected), '... prints what is printed' if $command !~ /^make -C/;
		$printed{$1} = $expected if $command =~ /^make run PROG=(\w+)$/;
		next unless $command =~ /^gcc\b.* (\S+\.c)$/;
		$ran{$1}++;

		# And as strict as can be, with this kernel's headers.
		my $strict = $command =~ s{ -o (\w+)}{ -O2 -Wall -Wextra -Werror -isystem build/x86_64/usr/include -o strict/$1}r;
		($status, $out, $err) = sh($strict, in => $desk);
		is $status, 0, "... has no warning, with this kernel's headers" or diag $err;
		push @strict, $command =~ / -o (\w+)/;
	}
	is_deeply [sort keys %ran], [sort map { $_->[0] } @$sources], "$file: each program is compiled";
}
cmp_ok $programs, '>', 5, 'programs have been found';
($status, $out, $err) = guest('docs', join('', map { "echo '# $_'; ./$_ || echo status \$?\n" } @strict), folder => "$desk/strict");
is $status, 0, 'a guest runs them as optimized' or diag $err;
my (undef, %strict) = split /^# (\w+)\n/m, $out;
is masked($strict{$_} // 'nothing'), masked($printed{$_} // "$_ is not run"), "$_ prints the same" for @strict;

#
# Form
#

for my $page (@pages) {
	($status, $out, $err) = sh('exec groff -man -t -ww -z -Tutf8 "$P"', env => {P => $page});
	is "$out$err", '', "groff -ww has nothing to say about $page";
	(undef, $out, $err) = sh('exec mandoc -T lint "$P"', env => {P => $page});
	# Names are case sensitive, and so are the man-pages' titles since 6.0.
	is join('', grep { !/STYLE: lower case character in document title/ } split /^/, "$out$err"), '', "nor mandoc -T lint";
	my ($name, $section) = $page =~ m{([^/]+)\.(\d)$};
	like $text{$page}, qr/\A\Q$name($section)\E/, '... and it is titled as it is called';
}

# As GitHub makes them of headings.
sub anchors {
	my ($file) = @_;
	my $text = slurp(top . "/$file") =~ s/^```.*?^```$//msgr;
	return { map { (lc s/`//gr =~ s/[^\w\- ]//gr =~ tr/ /-/r) => 1 } $text =~ /^#+ (.*)/mg };
}
my %targets = map { /^(\w+)\s/ ? ($1 => 1) : () } split /\n/, (sh('exec make -s help'))[1];
cmp_ok scalar(keys %targets), '>', 5, 'make help lists targets';
for my $file (@markdown) {
	my ($folder) = $file =~ m{^(.*/)?};
	$folder //= '';
	my $prose = $text{$file} =~ s/^```.*?^```$//msgr;
	my @bad;
	for my $link ($prose =~ /\]\(([^)\s]+)\)/g) {
		next if $link =~ /^https?:/;
		my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
		my $to = length $path ? $folder . $path : $file;
		1 while $to =~ s{[^/]+/\.\./}{};
		push @bad, $link unless -e top . "/$to" && (!defined $anchor || anchors($to)->{$anchor});
	}
	is "@bad", '', "$file: links lead somewhere";
	# As commands, and in the text. What goes to another Makefile is not for make help.
	my @make = $text{$file} =~ /(?:^ *(?:\$ )?|`)(?:\w+=\S+ )?make ([^\n`#]+)/mg;
	@bad = grep { $_ !~ /^-C / && !$targets{(grep { !/=/ } split)[0] // ''} } @make;
	is join("\n", @bad), '', "$file: make's targets are those of make help";
}

#
# Facts
#

# Assertions on the kernel's headers; 32-bit programs have them all, too.
my @include = map { "#include <$_>" } qw(stddef.h linux/perf_event.h linux/hw_breakpoint.h linux/signalfd.h asm/siginfo.h asm/signal.h);
sub asserted {
	my ($cc, $what, @asserts) = @_;
	my $text = join "\n", @include, map({ sprintf '_Static_assert(%s, "%s");', $_, s/"//gr } @asserts), '';
	spew("$desk/facts.c", $text);
	my ($status, undef, $err) = sh('exec $CC -isystem "$K" -fsyntax-only facts.c', in => $desk, env => {CC => $cc, K => $kernel});
	cmp_ok scalar(@asserts), '>', 0, "$what: there is something to compare";
	is $status, 0, "$what are as in the headers ($cc)" or diag grep { /error/ } split /^/, $err;
}
my @ccs = ('gcc', 'i686-linux-gnu-gcc');
sub same { "__builtin_types_compatible_p(__typeof__((($_[0] *)0)->$_[1]), $_[2])" }

my ($open, $action) = map { slurp(top . "/docs/man/$_.2") } qw(perf_event_open sigaction);
my (@long, @short, @signalfd, @fields);
while ($action =~ /^\\fI(\w+)\\fP:([^:]+):(0x\w+):(0x\w+):/mg) {
	my ($field, $type, $long, $short) = ($1, $2, $3, $4);
	push @fields, $field;
	my $same = same('siginfo_t', $field, $type);
	push @long, $same, "offsetof(siginfo_t, $field) == $long";
	push @short, $same, "offsetof(siginfo_t, $field) == $short";
}
asserted('gcc', 'sigaction(2): the places in siginfo_t', @long);
asserted('i686-linux-gnu-gcc', 'sigaction(2): the places in siginfo_t', @short);
while ($action =~ /^\\fI(ssi_\w+)\\fP:([^:]+):(\d+):/mg) {
	push @fields, $1;
	push @signalfd, same('struct signalfd_siginfo', $1, $2), "offsetof(struct signalfd_siginfo, $1) == $3";
}
my ($size) = $action =~ /^The structure still has (\d+) bytes/m;
asserted($_, 'sigaction(2): the places in signalfd_siginfo', @signalfd, "sizeof(struct signalfd_siginfo) == $size") for @ccs;
is_deeply [sort grep { /perf/ } @fields],
	[sort((map { slurp("$kernel/$_") =~ /\b(s?si_perf\w*)\b/g } 'linux/signalfd.h'), slurp("$kernel/asm-generic/siginfo.h") =~ /^#define (si_perf\w*)/mg)],
	'... which has all fields that the headers have';

my ($word) = $open =~ /^at byte (\d+) of the structure/m;
my ($byte) = $open =~ /^\\fIsig_data\\fP:byte (\d+):/m;
($size) = $open =~ /^\.B PERF_ATTR_SIZE_VER7\nis (\d+); the structure ends with\n\.IR sig_data/m;
asserted($_, 'perf_event_open(2): size and place', "sizeof(struct perf_event_attr) == $size", "PERF_ATTR_SIZE_VER7 == $size",
	"offsetof(struct perf_event_attr, sig_data) == $byte", "$size == $byte + 8", "offsetof(struct perf_event_attr, read_format) + 8 == $word") for @ccs;
my %bit = (disabled => 0, $open =~ /^\\fI(\w+)\\fP:bit (\d+):/mg);
is scalar(keys %bit), 4, 'perf_event_open(2) has three bits';
($bit{__reserved_34}, $bit{__reserved_1}) = $open =~ /^Bit (\d+), and those from (\d+) on, must be 0/m;
spew("$desk/bits.c", join "\n", @include, '#include <stdio.h>', 'int main(void)', '{',
	map({; "\t{ union { struct perf_event_attr attr; __u64 word[16]; } u = { .attr = { .$_ = 1 } };",
		"\tprintf(\"$_ %d\\n\", __builtin_ctzll(u.word[$word / 8])); }" } sort keys %bit), '}', '');
($status, $out, $err) = sh('gcc -isystem "$K" -o bits bits.c && ./bits', in => $desk, env => {K => $kernel});
is_deeply {split ' ', $out}, \%bit, '... and they are where the headers have them' or diag $err;
my %width = $open =~ /^ +(\w+) +: +(\d+)[,;]/mg;
is scalar(keys %width), 4, '... of which the page prints those that are new';
is_deeply {map { $_ => slurp("$kernel/linux/perf_event.h") =~ /^\s+\Q$_\E\s*:\s*(\d+)[,;]/m ? $1 : 'none' } keys %width}, \%width,
	'... as wide as there';

# A name and its number, wherever they stand together.
for my $file (@markdown, @pages) {
	my $flat = $text{$file} =~ s/[`\s]+/ /gr;
	my %number = $flat =~ /\b((?:[A-Z][A-Z0-9]*_[A-Z0-9_]+|SIGTRAP)) (?:\(|= |is )(\d+)\b/g;
	asserted('gcc', "$file: numbers of names", map { "$_ == $number{$_}" } sort keys %number) if %number;
}
# The tests that are named exist.
my $selftests = build() . '/tree/tools/testing/selftests/perf_events';
for my $file (@markdown) {
	my @named = ($text{$file} =~ s/\s+/ /gr) =~ /`(\w+\.c: \w+)`/g or next;
	my @bad = grep { my ($source, $case) = /(.*): (.*)/;
		!-f "$selftests/$source" || slurp("$selftests/$source") !~ /^TEST(?:_F)?(?:_TIMEOUT)?\((?:\w+, )?\Q$case\E[,)]/m } @named;
	is "@bad", '', "$file: all " . @named . ' kselftest cases that are named exist';
}
# What has been measured is in the README, and nothing else is quoted.
my %measured = map { $_ => 1 } $text{'README.md'} =~ /\b(\d{1,3}(?:,\d{3})+)\b/g;
for my $file (grep { m{^docs/} } @markdown) {
	is join(' ', grep { !$measured{$_} } $text{$file} =~ /\b(\d{1,3}(?:,\d{3})+)\b/g), '', "$file: figures are those of the README";
}
# What sigtrap.h says is what the tutorial explains.
my @says = $text{'docs/first-program.md'} =~ /^\| `([^`]+)` \|/mg;
my @said = slurp(top . '/examples/include/sigtrap.h') =~ /^\t\treturn "([^"]+)";/mg;
is_deeply [sort @says], [sort @said], "docs/first-program.md explains sigtrap.h's messages";

#
# sigwatch(1)
#

SKIP: {
	skip 'there is no sigwatch here', 5 unless -d top . '/sigwatch';
	my %part = sections($text{'docs/man/sigwatch.1'}, 0);
	sub options { my %seen = map { $_ => 1 } $_[0] =~ /(?<![\w\-])(--?[A-Za-z][\w\-]*)/g; return [sort keys %seen] }
	($status, $out, $err) = sh('make -s sigwatch >&2 && exec build/sigwatch/sigwatch --help');
	is $status, 0, 'sigwatch --help' or diag $err;
	# The names only: what is said about one may mention another.
	my $page = options(join "\n", $part{OPTIONS} =~ /^ {7}(-.*)/mg);
	is_deeply $page, options(join "\n", $out =~ /^ *(-.*?)(?:  |$)/mg), 'sigwatch(1) has the options of sigwatch --help';
	my $readme = slurp(top . '/sigwatch/README.md');
	is_deeply [$part{'EXIT STATUS'} =~ /^ {7}(\d+)\b/mg], [$readme =~ /^\| (12\d) \|/mg], '... and the exit statuses of its README';
	# Its messages, as the source has them.
	my $source = (sh('cat sigwatch/*.c'))[1] =~ s/"\s*\n\s*"//gr;
	my @messages = ($part{DIAGNOSTICS} // '') =~ s/.*Among them are:\n//sr =~ /^ {7}(\S.*)$/mg;
	cmp_ok scalar(@messages), '>', 5, '... and some of its messages';
	is join("\n", grep { index($source, $_) < 0 } @messages), '', '... as they are';
}

done_testing;
