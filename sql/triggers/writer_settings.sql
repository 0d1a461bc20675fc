-- The SET clauses without which the JSON of these column types would depend on the writer's session. Each costs every
-- statement a little, so a table pays only for the types that it has; what is not known to be plain gets them all.
create or replace function rowcast.writer_settings(types oid[]) returns text
language sql stable security invoker
set search_path = pg_catalog, pg_temp
as $$
  with recursive base (type) as (
    select unnest(types)
    union
    select case when t.typtype = 'd' then t.typbasetype else t.typelem end
    from base join pg_type t on t.oid = base.type
    where t.typtype = 'd' or t.typcategory = 'A' and t.typelem <> 0
  ), leaf as (
    select t.oid, t.typtype from base join pg_type t on t.oid = base.type where t.typtype <> 'd' and t.typcategory <> 'A'
  ), needed (setting) as (
    select distinct s.setting
    from leaf
    join (values
      ('set "TimeZone" to ''UTC''',            '{timestamptz}'::regtype[]),
      ('set "IntervalStyle" to ''postgres''',  '{interval}'),
      ('set bytea_output to ''hex''',          '{bytea}'),
      ('set extra_float_digits to 1',          '{float4,float8}'),
      ('set lc_monetary to ''C''',             '{money}'),
      ('set "DateStyle" to ''ISO, YMD''',      '{}')) s (setting, types)
      on leaf.oid = any (s.types)
      or leaf.typtype <> 'e' and leaf.oid <> all (
           '{timestamptz,interval,bytea,float4,float8,money,int2,int4,int8,numeric,bool,text,varchar,bpchar,"char",name,uuid,
             json,jsonb,date,time,timetz,timestamp,oid,inet,cidr,macaddr,bit,varbit,int4range,int8range,numrange}'::regtype[])
  )
  select coalesce(string_agg(setting, ' ' order by setting), '') from needed
$$;
comment on function rowcast.writer_settings(oid[]) is 'internal: settings that the JSON of these types depends on';
