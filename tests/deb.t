#!/usr/bin/perl
# make deb says what is wrong with what it is given before it builds for hours,
# and puts no package out that is not whole. What it makes is for make image.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my $clone = clone();
my $given = scratch() . '/the config';
my $out_dir = scratch() . '/packages';
my ($status, $out, $err, $left);
# The kernel's make takes no path with a space: beside the clone's own build.
sub deb {
	my ($args, %env) = @_;
	($status, $out, $err) = sh(<<'END_OF_SCRIPT', in => $clone, env => {CONFIG => $given, OUT => $out_dir, KTREE => build() . '/tree', LEFT => scratch() . '/left', ARGS => $args, %env});
build=$(readlink build)
KOUT=$build/deb/obj base/deb.sh $ARGS
status=$?
ls -d "$OUT" "$build"/deb.* "$build"/deb/*.deb >"$LEFT" 2>/dev/null
exit $status
END_OF_SCRIPT
	$left = slurp(scratch() . '/left');
}
sub refused {
	my ($text, $message, $what, %env) = @_;
	spew($given, $text) if defined $text;
	deb('check', %env);
	ok $status != 0 && $err =~ /^error: $message/m, $what or diag "status $status\n$err";
	is $left, $env{OUT} && -e $env{OUT} ? "$env{OUT}\n" : '', '... and nothing is left of it';
}
my $x86 = "CONFIG_64BIT=y\nCONFIG_X86_64=y\n";

($status, $out, $err) = sh('make -s deb', in => $clone);
ok $status != 0 && $err =~ m{^error: CONFIG is not set: make deb CONFIG=path, .*/boot/config-\S+$}m, 'make deb without CONFIG says what to give' or diag $err;
unlike $err, qr/installing|unpacking|downloading/, '... before anything is fetched';
refused(undef, qr{CONFIG=/nowhere does not exist: make deb CONFIG=path}, 'a file that is not there', CONFIG => '/nowhere');
refused(undef, qr{CONFIG=/etc is a folder}, 'a folder', CONFIG => '/etc');
refused("\x7fELF\0\1\n", qr{CONFIG=\Q$given\E is no kernel configuration: line 1 is }, 'a program');
refused("${x86}CONFIG_A_B=y\n\nset -e\n", qr{CONFIG=\Q$given\E is no kernel configuration: line 5 is 'set -e'}, 'a script');
refused("# Linux\n", qr{CONFIG=\Q$given\E is no kernel configuration: it sets no}, 'a configuration of nothing');
refused("\x1f\x8bCONFIG_X86_64=y\n", qr{CONFIG=\Q$given\E is damaged}, 'a damaged config.gz');
refused("CONFIG_ARM64=y\n", qr{CONFIG=\Q$given\E is for another architecture \(CONFIG_ARM64=y\), and ARCH is x86_64}, 'another architecture');
refused("CONFIG_X86_32=y\n", qr{CONFIG=\Q$given\E is for another architecture \(CONFIG_X86_32=y\)}, '... of the same family');
refused("#\n# Linux/arm64 5.10.1 Kernel Configuration\n#\nCONFIG_SMP=y\n", qr{CONFIG=\Q$given\E is for another architecture \(Linux/arm64\)}, '... by its first lines');
refused($x86, qr{CONFIG=\Q$given\E is for another architecture \(CONFIG_X86_64=y\), and ARCH is arm64}, '... by ARCH', ARCH => 'arm64');
refused($x86, qr{ARCH=m68k: packages are made for x86_64 and arm64}, 'an architecture without packages', ARCH => 'm68k');
refused($x86, qr{FLAVOUR=debug is one of the guest's kernels}, 'a flavour', FLAVOUR => 'debug');
refused($x86, qr{OUT=\Q$given\E is no folder}, 'a file to put packages in', OUT => $given);
refused($x86, qr{OUT=\Q$given\E/a/b cannot be made: \Q$given\E is no folder}, '... or below', OUT => "$given/a/b");
refused($x86, qr{OUT=/proc/x cannot be written}, 'a place where nothing can be made', OUT => '/proc/x') unless $> == 0;
for my $option (qw(SYSTEM_TRUSTED_KEYS SYSTEM_REVOCATION_KEYS SYSTEM_BLACKLIST_HASH_LIST MODULE_SIG_KEY)) {
	refused("${x86}CONFIG_$option=\"certs/mine.pem\"\n", qr{CONFIG=\Q$given\E: CONFIG_$option names certs/mine\.pem, which is not there}, "CONFIG_$option names no file");
}
refused("${x86}CONFIG_EXTRA_FIRMWARE=\"a.bin b.bin\"\nCONFIG_EXTRA_FIRMWARE_DIR=\"/nowhere\"\n", qr{CONFIG=\Q$given\E: CONFIG_EXTRA_FIRMWARE names a\.bin, which /nowhere does not have}, 'firmware that is missing');
refused("${x86}CONFIG_INITRAMFS_SOURCE=\"/nowhere\"\n", qr{CONFIG=\Q$given\E: CONFIG_INITRAMFS_SOURCE names /nowhere, }, 'an initramfs that is missing');
spew("$given.pem", 'a key');
spew($given, "${x86}CONFIG_SYSTEM_TRUSTED_KEYS=\"$given.pem\"\nCONFIG_MODULE_SIG_KEY=\"certs/signing_key.pem\"\n");
deb('check');
is $status, 0, 'keys that are there, or that the build makes' or diag $err;
sh('gzip -n "$G" && mv "$G.gz" "$G"', env => {G => $given});
deb('check');
is $status, 0, 'the same, as /proc/config.gz has it' or diag $err;

my $bin = scratch() . '/bin';
mkdir $bin;
spew("$bin/df", "#!/bin/sh\necho Filesystem Blocks Used Available\necho disk 9000 7000 2000\n");
chmod 0755, "$bin/df";
my $full = $x86 . join '', map { "CONFIG_NO_$_=m\n" } 1 .. 1000;
refused("${full}CONFIG_DEBUG_INFO=y\n", qr{the disk of \S+ has 2000 MB free, and the build takes about 55\d\d MB \(16\d\d MB without CONFIG_DEBUG_INFO\): make room}, 'a disk that is too small', PATH => "$bin:$ENV{PATH}");
spew($given, $full);
deb('check', PATH => "$bin:$ENV{PATH}");
is $status, 0, '... and would do without debug information' or diag $err;

# As far as the kernel's Kconfig.
# No compiler for more than what Kconfig needs.
spew("$bin/ccache", <<'END_OF_SCRIPT');
#!/bin/sh
case "$*" in
*/dev/null* | *scripts/kconfig/* | *scripts/basic/*) ;;
*' -c '*) echo "cc1: error: spoilt" >&2; exit 1 ;;
esac
exec "$@"
END_OF_SCRIPT
chmod 0755, "$bin/ccache";
my $config = slurp(build() . '/x86_64/.config');
(my $one_less = $config) =~ s/^CONFIG_SIGNALFD=y\n//m;
my $odd = "${one_less}CONFIG_NO_SUCH_OPTION=m\nCONFIG_SYSTEM_TRUSTED_KEYS=\"debian/certs/some.pem\"\n";

# Only other architectures can do without perf. The compiler is asked what it can.
symlink((sh("command -v $_"))[1] =~ s/\n//r, "$bin/aarch64-linux-gnu-$_") for qw(gcc ld ar nm objcopy objdump strip readelf);
spew($given, "CONFIG_ARM64=y\n# CONFIG_PERF_EVENTS is not set\n");
deb('', PATH => "$bin:$ENV{PATH}", ARCH => 'arm64');
ok $status != 0 && $err =~ /^error: CONFIG=\Q$given\E: .* it lacks CONFIG_PERF_EVENTS CONFIG_HAVE_HW_BREAKPOINT: set CONFIG_PERF_EVENTS=y$/m, 'options that the series is nothing without are named' or diag $err;
is $left, '', '... and nothing is left of it';

# A build that fails half way.
mkdir $out_dir;
spew("$out_dir/linux-image-5.10.0_1_amd64.deb", 'of earlier');
spew($given, $odd);
deb('', PATH => "$bin:$ENV{PATH}");
like $err, qr{^CONFIG_SYSTEM_TRUSTED_KEYS names debian/certs/some\.pem, of the distribution's own build: taken as ""$}m, "the distribution's keys are left out" or diag $err;
my ($new, $lost, $log) = $err =~ m{^CONFIG=\Q$given\E: (\d+) options were new and got their defaults; (\d+) of those set are not to be had \(listed in (.*)\)$}m
	or BAIL_OUT("no options are counted:\n$err");
my $listed = slurp($log);
like $listed, qr/^CONFIG_SIGNALFD=/m, 'options that the configuration does not know are listed';
is $new, scalar(() = $listed =~ /^CONFIG_/mg), '... and counted';
like $listed, qr/^not in this kernel.*: CONFIG_NO_SUCH_OPTION=m$/m, 'so are those that the kernel does not know';
is $lost, 1, '... and counted';
ok $status != 0 && $err =~ /^the build failed; first errors:\n  .*spoilt.*^error: the whole log is (\S.*)$/ms, 'a build that fails says why' or diag $err;
is $out, '', '... names no package';
is((sh('ls -A', in => $out_dir))[1], "linux-image-5.10.0_1_amd64.deb\n", '... and puts none out');

done_testing;
