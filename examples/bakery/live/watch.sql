-- All that the database is told: which tables, and which columns of them. `email` never leaves it.
select rowcast.watch('public.users', columns => '{id,name,role}');
select rowcast.watch('public.orders');
select rowcast.watch('public.rooms');
select rowcast.watch('public.members');
select rowcast.watch('public.messages');
