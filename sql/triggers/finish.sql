-- An upgrade reaches the tables that are watched already.
do $do$
begin
  update rowcast.settings set version = rowcast.version() where version <> rowcast.version();
  perform rowcast.rebuild();
end
$do$;
reset role;
