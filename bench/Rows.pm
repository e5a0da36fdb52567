# What make bench has measured, out of its CSV.
package Rows;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT = qw(rows);

# {kernel}{row}{n}: a hash of what the header names.
sub rows {
	my ($path) = @_;
	open my $f, '<', $path or die "error: $path: $!\n";
	chomp(my $header = <$f> // '');
	$header =~ /^kernel,row,n,median,/ or die "error: $path is not what make bench writes: its first line names no columns\n";
	my @names = split /,/, $header;
	my %rows;
	while (<$f>) {
		chomp;
		my %row;
		@row{@names} = split /,/, $_, @names;
		$rows{$row{kernel}}{$row{row}}{$row{n}} = \%row;
	}
	return \%rows;
}

1;
