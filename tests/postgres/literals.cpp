#include "policy/scalar.hpp"
#include "postgres/generated.hpp"
#include "support/database.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;
using rowcast::support::database;

namespace {

struct family_of_type {
    const char* type; // without a length: a literal beside a column is not cut to it
    type_family family;
    bool reads_all; // whatever PostgreSQL reads; of dates and times, rowcast reads ISO 8601 only
    std::vector<std::string> seeds;
};

const std::vector<family_of_type> families = {
    {"boolean", type_family::boolean, true, {"true", "off", "no", "1"}},
    {"bigint", type_family::bigint, true, {"12", "-7", " 42 ", "9007199254740993"}},
    {"numeric", type_family::numeric, true, {"1.50", "-0.0", "15e-1", "+.5", "5.", "NaN", "-inf", "Infinity"}},
    {"real", type_family::real, true, {"0.1", "-0", "16777217", "1e-45", "3.4e38", "inf"}},
    {"double precision", type_family::double_precision, true, {"0.1", "1e300", "5e-324", "-Infinity", "nan", ".5e1"}},
    {"text", type_family::text, true, {"", "a ", "A"}},
    {"bpchar", type_family::padded_text, true, {"", "ab ", " "}},
    {"uuid",
     type_family::uuid,
     true,
     {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0eebc999c0b4ef8bb6d6bb9bd380a11}",
      "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"}},
    {"date", type_family::date, false, {"2026-11-21", "0044-03-15 BC", "infinity", "2024-02-29"}},
    {"timestamp",
     type_family::timestamp,
     false,
     {"2026-11-21T10:00:00.123456", "2026-11-21 10:00", "2026-11-21", "0044-03-15 10:00:00 BC", "-infinity"}},
    {"timestamptz",
     type_family::timestamptz,
     false,
     {"2026-11-21T10:00:00Z", "2026-11-21 10:00:00.5+02:30", "2026-11-21T10:00-0730"}},
};

std::string mutate(dice& random, std::string text)
{
    static const std::string characters = "0123456789--+..::eE TZ{}abcfintyBC\"";
    for (std::size_t i = random.below(4); i > 0; --i) {
        const std::size_t at = random.below(text.size() + 1);
        const std::string one(1, characters[random.below(characters.size())]);
        switch (text.empty() ? 0 : random.below(3)) {
        case 0:
            text.insert(at, one);
            break;
        case 1:
            text.erase(at, 1);
            break;
        default:
            text.replace(at, 1, one);
        }
    }
    return text;
}

} // namespace

TEST_CASE("every literal that is read here is one that PostgreSQL reads, with the same value")
{
    const char* const given = std::getenv("ROWCAST_TEST_SEED");
    const unsigned started = given ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
    CAPTURE(started);
    dice random(started);
    const database db;
    db.execute("create function read_back(type text, literal text) returns text language plpgsql as $$ declare json "
               "text; begin "
               "execute format('select to_json(%L::%s)::text', literal, type) into json; return json; "
               "exception when data_exception then return null; end $$");
    pqxx::connection connection = db.connect();
    const bool lacks_infinity = connection.server_version() < 140000; // among numerics
    pqxx::work work{connection};
    work.exec("set local timezone to 'UTC'");

    std::size_t read = 0;
    std::size_t refused = 0;
    for (const family_of_type& each : families) {
        std::string values;
        std::vector<std::string> literals;
        for (int i = 0; i < 1000; ++i) {
            literals.push_back(mutate(random, random.one_of(each.seeds)));
            values += (values.empty() ? "(" : ",(") + std::to_string(i) + "," + sql_text(literals.back()) + ")";
        }
        const auto answers = work.exec("select x.i, read_back(" + sql_text(each.type) + ", x.literal) from (values " +
                                       values + ") x (i, literal) order by x.i");
        for (const auto& answer : answers) {
            const std::string& literal = literals[answer[0].as<std::size_t>()];
            const auto ours = policy::canonical_literal(each.family, literal);
            CAPTURE(each.type, literal, ours.value_or("(refused)"),
                    answer[1].is_null() ? "(refused)" : answer[1].c_str());
            ours ? ++read : ++refused;
            if (answer[1].is_null()) {
                REQUIRE(
                    (!ours || (lacks_infinity && each.family == type_family::numeric && ours->ends_with("Infinity"))));
            } else if (ours) {
                REQUIRE(policy::canonical(each.family, answer[1].c_str()) == ours);
            } else {
                // Up to version 15 a blank before an exponent is an accident of strtol(3).
                const bool accident =
                    literal.find("e ") != std::string::npos || literal.find("E ") != std::string::npos;
                // Since version 16 it reads numbers in other bases, which are decimal here.
                const bool binary = literal.find("0b") != std::string::npos || literal.find("0B") != std::string::npos;
                REQUIRE((!each.reads_all || accident || binary));
            }
        }
    }
    CHECK(read > 1000);
    CHECK(refused > 1000);
}
