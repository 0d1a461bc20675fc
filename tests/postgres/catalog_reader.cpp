#include "postgres/catalog_reader.hpp"

#include "support/database.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using policy::type_family;
using rowcast::support::database;
using rowcast::support::with_rowcast;

TEST_CASE("the catalog knows each watched table's captured columns, their families and its key")
{
    const database db{with_rowcast};
    db.execute(R"(create domain small as int check (value < 10); create domain smaller as small;
                  create type mood as enum ('sad', 'happy');
                  create collation blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                  create table "Odd ""T""" (b text, a smaller, "x,y" numeric(10,2), c char(3), m mood, n name, ci text collate blind,
                    r real, u uuid, d date, ts timestamp, tz timestamptz, f boolean, j jsonb, ch "char", ar int[], secret text,
                    primary key (a, "x,y"));
                  select rowcast.watch('"Odd ""T"""', "except" => '{secret}', notify => true);
                  create table few (id bigint primary key, v varchar(7), w int);
                  select rowcast.watch('few', columns => '{v,id}', notify => true))");
    postgres::connection on{{.url = db.url()}};
    const auto catalog = postgres::read_catalog(on);

    REQUIRE(catalog->tables.size() == 2);
    const auto odd = catalog->find("public.\"Odd \"\"T\"\"\"");
    REQUIRE(odd);
    CHECK(odd->key == std::vector<std::string>{"a", "x,y"});
    CHECK(odd->all_columns);
    CHECK(odd->find("secret") == nullptr);
    CHECK(odd->columns.front().name == "b");
    const auto family = [&](const char* name) { return odd->find(name)->family; };
    CHECK(family("a") == type_family::integer);
    CHECK(odd->find("a")->type == "public.smaller");
    CHECK(family("x,y") == type_family::numeric);
    CHECK(odd->find("x,y")->type == "numeric(10,2)");
    CHECK(family("c") == type_family::padded_text);
    CHECK(family("m") == type_family::enumeration);
    CHECK(family("ci") == type_family::other);
    CHECK(family("b") == type_family::text);
    CHECK(family("r") == type_family::real);
    CHECK(family("u") == type_family::uuid);
    CHECK(family("d") == type_family::date);
    CHECK(family("ts") == type_family::timestamp);
    CHECK(family("tz") == type_family::timestamptz);
    CHECK(family("f") == type_family::boolean);
    for (const char* name : {"n", "j", "ch", "ar"}) {
        CHECK(family(name) == type_family::other);
    }
    const auto few = catalog->find("public.few");
    CHECK_FALSE(few->all_columns);
    CHECK(few->columns.size() == 2);
    CHECK(few->columns[0].name == "id");
}
