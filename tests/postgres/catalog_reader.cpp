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
                  create type mood as enum ('sad', 'happy'); alter type mood add value 'so-so' before 'happy';
                  create domain feeling as mood; create domain numbers as int[]; create domain lists as numbers[];
                  create collation blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                  create table "Odd ""T""" (b text, a smaller, "x,y" numeric(10,2), c char(3), m mood, n name, ci text collate blind,
                    r real, u uuid, d date, ts timestamp, tz timestamptz, f boolean, j jsonb, ch "char", ar int[], secret text,
                    co text collate "C", sa smaller[], ma mood[], fe feeling, nu numbers, li lists, iv int2vector, ca text[] collate "C",
                    ja jsonb[], js json, by bytea, ti time, tt timetz,
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
    CHECK(family("ci") == type_family::collated_text);
    CHECK(family("b") == type_family::text);
    CHECK(family("r") == type_family::real);
    CHECK(family("u") == type_family::uuid);
    CHECK(family("d") == type_family::date);
    CHECK(family("ts") == type_family::timestamp);
    CHECK(family("tz") == type_family::timestamptz);
    CHECK(family("f") == type_family::boolean);
    CHECK(family("j") == type_family::jsonb);
    CHECK(family("js") == type_family::json);
    CHECK(family("by") == type_family::bytea);
    CHECK(family("ti") == type_family::time);
    CHECK(odd->find("m")->labels == std::vector<std::string>{"sad", "so-so", "happy"});
    CHECK(odd->find("co")->code_points);
    CHECK_FALSE(odd->find("ci")->code_points);
    for (const char* name : {"n", "ch", "iv", "tt"}) {
        CHECK(family(name) == type_family::other);
    }
    const std::vector<std::pair<const char*, type_family>> arrays = {
        {"ar", type_family::integer}, {"sa", type_family::integer}, {"ma", type_family::enumeration}, {"nu", type_family::integer},
        {"li", type_family::other},   {"ca", type_family::text},    {"ja", type_family::jsonb}};
    for (const auto& [name, element] : arrays) {
        CAPTURE(name);
        CHECK(family(name) == type_family::array);
        CHECK(odd->find(name)->element == element);
    }
    CHECK(family("fe") == type_family::enumeration);
    CHECK(odd->find("fe")->labels.empty());
    const auto few = catalog->find("public.few");
    CHECK_FALSE(few->all_columns);
    CHECK(few->columns.size() == 2);
    CHECK(few->columns[0].name == "id");
}
