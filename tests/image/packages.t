#!/usr/bin/perl
# make image: the disk boots by itself, from the packages that are installed on
# it, and they are whole: initrd, modules, headers, C headers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use House;
use Test::More;

BAIL_OUT('GUEST_DISK is not set: make image makes a disk and runs this') unless $ENV{GUEST_DISK};
my @packages = split /\n/, slurp(build() . '/image/packages.list');
my ($release, $version) = map { m{/linux-image-(.*)_([^_]+)_amd64\.deb$} ? ($1, $2) : () } grep { !/-dbg_/ } @packages;
my (undef, $revision) = split /-/, $version, 2;

my ($status, $out, $err) = guest('image-packages', <<'END_OF_SCRIPT', env => {GUEST_TIMEOUT => 300});
# The system's own tools, not those that busybox has as well.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
say() { printf '%s: ' "$1"; shift; "$@" 2>&1 | tr '\n' ' '; echo; }
say release uname -r
say build uname -v
say root awk '$2 == "/" {print $1, $3}' /proc/mounts
say cmdline cat /proc/cmdline
say early sh -c 'cut -d" " -f1 /proc/modules | sort'
dpkg-query -W -f 'package: ${binary:Package} ${Version} ${db:Status-Status}\n' 'linux-*'
say before ls /sys/module/loop/parameters
modprobe loop && say after cat /sys/module/loop/initstate
say vermagic sh -c 'modinfo -F vermagic /usr/local/src/hello/hello.ko | cut -d" " -f1'
insmod /usr/local/src/hello/hello.ko
say hello sh -c 'dmesg | sed -n "s/.*hello: //p" | tail -n 1'
say uapi /usr/local/bin/uapi
END_OF_SCRIPT
is $status, 0, 'the disk boots, and its kernel has nothing to say' or diag $err;
my %seen;
push @{$seen{$1}}, $2 while $out =~ /^(\w+): (.*?) *$/mg;
sub seen { join "\n", @{$seen{$_[0]} // []} }

is seen('release'), $release, 'the kernel is that of the packages';
like seen('build'), qr/^#\Q$revision\E /, '... of this series';
like seen('root'), qr{^/dev/\S+ ext4$}, 'its root is on the disk';
like seen('cmdline'), qr{BOOT_IMAGE=/boot/vmlinuz-\Q$release\E }, '... where GRUB found the kernel';
like " $seen{early}[0] ", qr/ $_ /, "the initrd has loaded $_" for qw(ext4 virtio_blk);
for my $deb (@packages) {
	my ($name, $its) = $deb =~ m{/([^/_]+)_([^_]+)_amd64\.deb$};
	next if $name =~ /-dbg$/;
	ok scalar(grep { /^\Q$name\E(:amd64)? \Q$its\E installed$/ } @{$seen{package}}), "$name is installed" or diag seen('package');
}
like seen('before'), qr/No such file/, 'a module that nothing has loaded';
is seen('after'), 'live', '... is found and loaded' or diag $err;
is seen('vermagic'), $release, 'a module built against the headers package';
is seen('hello'), '1 42', '... runs, and knows the new fields' or diag $err;
is seen('uapi'), 'hits 1 data 42 len 4 type 2', 'a program built against linux-libc-dev gets its SIGTRAP' or diag $err;

done_testing;
