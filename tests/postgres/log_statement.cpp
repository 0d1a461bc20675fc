#include "postgres/log_statement.hpp"

#include "postgres/embedded_sql.hpp"
#include "postgres/log_step.hpp"
#include "support/database.hpp"
#include "support/postgres_cluster.hpp"

#include <catch2/catch.hpp>

#include <regex>

using namespace rowcast;
using postgres::connection;
using rowcast::support::database;
using rowcast::support::postgres_cluster;
using rowcast::support::with_rowcast;

namespace {

core::cursor position_now(connection& on)
{
    return {*core::snapshot::parse(on.execute("select pg_current_snapshot()").text(0, 0)), std::nullopt};
}

std::string plan(connection& on, const core::cursor& from)
{
    std::string arguments;
    for (const auto& each : postgres::log_parameters(from, {}, 1001)) {
        arguments += (arguments.empty() ? "" : ", ") + (each ? "'" + *each + "'" : std::string("null"));
    }
    const auto lines = on.execute(
        "explain (analyze, buffers, costs off, timing off, summary off) execute rowcast_log(" + arguments + ")");
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        text += std::string(lines.text(i, 0)) + "\n";
    }
    return text;
}

// Of the topmost node, which counts them all.
int buffers(const std::string& text)
{
    std::smatch found;
    int sum = 0;
    const std::string first = text.substr(0, text.find('\n', text.find("Buffers:")));
    for (std::string rest = first; std::regex_search(rest, found, std::regex("(hit|read)=([0-9]+)"));
         rest = found.suffix()) {
        sum += std::stoi(found[2]);
    }
    return sum;
}

} // namespace

TEST_CASE("an empty read costs the same beside an open transaction of many log rows, and in a log of many")
{
    // A server of its own: a transaction that ends in another database would move xmax.
    const postgres_cluster cluster;
    const auto execute = [&](const std::string& sql) {
        pqxx::connection session = cluster.connect();
        pqxx::nontransaction{session}.exec(sql);
    };
    execute(std::string(postgres::install_sql));
    execute("create table t (id int primary key); select rowcast.watch('t', notify => true);"
            "insert into t select n from generate_series(1, 20000) n");
    execute("vacuum analyze rowcast.change_log");
    connection on{{.url = cluster.url()}};
    postgres::prepare_log_statement(on);
    const core::cursor quiet = position_now(on);
    const int nothing = buffers(plan(on, quiet));
    CHECK(nothing < 30);

    pqxx::connection writer = cluster.connect();
    pqxx::work open{writer};
    open.exec("insert into t select n from generate_series(100001, 150000) n");
    INFO(plan(on, quiet));
    CHECK(buffers(plan(on, quiet)) < nothing + 30); // nobody has finished since: it is beyond xmax
    execute("insert into t values (0)");
    const core::cursor beside = position_now(on);
    REQUIRE_FALSE(beside.seen.in_progress.empty());
    CHECK(buffers(plan(on, beside)) < nothing + 30); // now it is among those in progress
}

TEST_CASE("the places of transactions come from the index alone, and nothing sorts their rows")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
    connection on{{.url = db.url()}};
    postgres::prepare_log_statement(on);
    const core::cursor before = position_now(on);
    db.execute("insert into t select n, repeat('x', 500) from generate_series(1, 20000) n");
    for (const char* statistics : {"", "analyze rowcast.change_log", "vacuum analyze rowcast.change_log"}) {
        db.execute(std::string(statistics) + ";");
        const std::string text = plan(on, before);
        INFO(text);
        CHECK(text.find("Seq Scan on change_log") == std::string::npos);
        CHECK(text.find("Index Only Scan using change_log_xid_id on change_log n") != std::string::npos);
        CHECK(text.find("Index Scan using change_log_xid_id on change_log r") != std::string::npos);
        // Only the transactions are sorted, by their ends.
        CHECK(text.find("Sort Key") == text.rfind("Sort Key"));
    }
}

TEST_CASE("places in the WAL are read and written as PostgreSQL does")
{
    CHECK(postgres::parse_lsn("16/B374D848") == 0x16B374D848);
    CHECK(postgres::format_lsn(0x16B374D848) == "16/b374d848");
    for (const char* wrong : {"", "/", "1/", "/1", "1/G", "x/1", "1/1 "}) {
        CHECK_THROWS_AS(postgres::parse_lsn(wrong), postgres::database_error);
    }
}
