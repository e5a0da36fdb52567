#!/usr/bin/perl
# The base kernel comes out of the cache whole or not at all.
use strict;
use warnings;
use File::Temp 'tempdir';
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my ($status, $out, $err) = sh('. base/pin; echo $package $version; base/fetch.sh');
my ($pinned, $real) = split /\n/, $out;
my ($package, $version) = split / /, $pinned;
my $deb = "${package}_${version}_all.deb";
is $status, 0, 'the base kernel is in the cache' or BAIL_OUT($err);

# An apt of ours: mirror/ is what its mirror has, no folder means no network.
my $bin = scratch() . '/bin';
my $mirror = scratch() . '/mirror';
mkdir $bin;
spew("$bin/apt-get", <<'END');
#!/bin/sh
case "$*" in
indextargets*) echo "bookworm https://mirror.test/debian/"; exit ;;
esac
echo "$*" >>"$MIRROR.asked"
[ -d "$MIRROR" ] || { echo "Could not connect to mirror.test" >&2; exit 100; }
case "$*" in
*--print-uris*) ;;
download*) cp "$MIRROR"/*.deb . ;;
esac
END
spew("$bin/apt-cache", qq(#!/bin/sh\ncat "\$MIRROR/index"\n));
chmod 0755, "$bin/apt-get", "$bin/apt-cache";

# Both the clone's path and the cache's with a space are refused. And a clone at such
# a path follows the cache with its build, which the other tests go on to use.
my $spaced = top =~ /[\s:]/;
my $cache = ($spaced ? tempdir(CLEANUP => 1) : scratch()) . '/cache';
my $clone = $spaced ? clone() : top;
sub fetch {
	unlink "$mirror.asked";
	return sh('base/fetch.sh', in => $clone, env => {PATH => "$bin:$ENV{PATH}", MIRROR => $mirror, PERF_SIGTRAP_CACHE => $cache});
}

($status, $out, $err) = fetch();
isnt $status, 0, 'no network and no cache is an error';
like $err, qr/LINUX_SRC=.*PERF_SIGTRAP_CACHE=/s, '... which says what to set';
is_deeply [glob "'$cache/*.deb'"], [], '... and leaves no file';
is(() = $err =~ /^error:/mg, 1, '... in one message');

link $real, "$cache/$deb" or sh('cp "$from" "$to"', env => {from => $real, to => "$cache/$deb"});
($status, $out, $err) = fetch();
is_deeply [$status, $out], [0, "$cache/$deb\n"], 'no network and a full cache works';
ok !-e "$mirror.asked", '... without asking';

mkdir $mirror;
rename "$cache/$deb", "$mirror/$deb" or die $!;
spew("$cache/$deb", 'not a kernel');
my ($sum) = slurp(top . '/base/pin') =~ /^sha256=(\w+)/m;
spew("$mirror/index", "Version: $version\nSHA256: $sum\n\n");
($status, $out, $err) = fetch();
is $status, 0, 'a damaged file' or diag $err;
like $err, qr/damaged/, '... is noticed';
is -s "$cache/$deb", -s $real, '... and fetched again';

unlink "$cache/$deb";
rename "$mirror/$deb", scratch() . '/kept';
spew("$mirror/$deb", 'not what the mirror promised');
($status, $out, $err) = fetch();
isnt $status, 0, 'a download with another checksum is an error';
is_deeply [glob "'$cache/*.deb' '$cache/fetch.*'"], [], '... and leaves no file';

# The pinned one gone, another there. Its content does not matter here.
unlink "$mirror/$deb";
my $other = "${package}_5.10.999-1_all.deb";
spew("$mirror/$other", 'another kernel');
my ($other_sum) = (sh('sha256sum <"$F"', env => {F => "$mirror/$other"}))[1] =~ /^(\w+)/;
spew("$mirror/index", "Version: 5.10.999-1\nSHA256: $other_sum\n\nVersion: 5.10.1-1\nSHA256: 0\n\n");
($status, $out, $err) = fetch();
is_deeply [$status, $out], [0, "$cache/$other\n"], 'the newest 5.10 is taken when the pinned one is gone' or diag $err;
like $err, qr/^warning: .*\Q$version\E.*gone.*5\.10\.999-1/m, '... with a warning';
sh('rm -r "$M"', env => {M => $mirror});
($status, $out, $err) = fetch();
is_deeply [$status, $out], [0, "$cache/$other\n"], '... and found again without network' or diag $err;
like $err, qr/^warning:/m, '... still with a warning';
spew("$cache/$other", 'damaged');
($status) = fetch();
isnt $status, 0, '... unless it is damaged';

# Mainline, which make bench measures, in the same way; and it can do without.
my ($yardstick, $its_version, $its_sum) = slurp(top . '/base/pin') =~ /^mainline_package=(\S+)\nmainline_version=(\S+)\nmainline_sha256=(\S+)$/m;
my $its_deb = "${yardstick}_${its_version}_all.deb";
sub fetch_mainline { sh('base/fetch.sh mainline', in => $clone, env => {PATH => "$bin:$ENV{PATH}", MIRROR => $mirror, PERF_SIGTRAP_CACHE => $cache}) }
($status, $out, $err) = fetch_mainline();
ok $status != 0 && $out eq '' && $err =~ /^error: no mainline kernel: \Q$its_deb\E is not in /m, 'mainline neither in the cache nor to be had' or diag $out, $err;
mkdir $mirror;
spew("$mirror/$its_deb", 'another');
spew("$mirror/index", "Version: $its_version\nSHA256: $its_sum\n\n");
($status, $out, $err) = fetch_mainline();
ok $status != 0 && $err =~ /another checksum/, '... or with another checksum' or diag $out, $err;
$its_deb = "${yardstick}_6.12.999-1_all.deb";
rename glob("'$mirror/*.deb'"), "$mirror/$its_deb" or die $!;
($its_sum) = (sh('sha256sum <"$F"', env => {F => "$mirror/$its_deb"}))[1] =~ /^(\w+)/;
spew("$mirror/index", "Version: 6.12.999-1\nSHA256: $its_sum\n\nVersion: 5.10.999-1\nSHA256: 0\n\n");
($status, $out, $err) = fetch_mainline();
is_deeply [$status, $out], [0, "$cache/$its_deb\n"], '... or a newer one' or diag $err;
like $err, qr/^warning: \Q$yardstick $its_version\E is gone/m, '... with a warning';

done_testing;
