\set n random(1, :customers)
select bench.search('customer' || :n);
