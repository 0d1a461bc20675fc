#include "postgres/log_reader.hpp"

#include "postgres/recorder.hpp"
#include "support/database.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace rowcast;
using namespace std::chrono_literals;
using postgres::connection;
using postgres::log_reader;
using rowcast::support::database;
using rowcast::support::with_rowcast;
using rowcast::test::recorder;

namespace {

using ids = std::vector<core::change_id>;

core::cursor position_now(const database& db)
{
    connection on{{.url = db.url()}};
    return {*core::snapshot::parse(on.execute("select pg_current_snapshot()").text(0, 0)), std::nullopt};
}

// The first claim in a database of the tests finds the copy of a template that it is, and empties its log.
postgres::log_identity identity_of(const database& db)
{
    connection on{{.url = db.url()}};
    return postgres::claim_identity(on);
}

struct reading {
    ids read;
    std::vector<core::cursor> positions;
    std::vector<bool> goes_on;
    std::vector<core::place> places;
};

// All of it, or the test fails.
reading read_all(log_reader& reader)
{
    reading all;
    for (;;) {
        const auto page = reader.next();
        if (page.has_error()) {
            throw std::runtime_error{page.error().message};
        }
        if (!*page) {
            return all;
        }
        for (const core::change& each : (*page)->changes) {
            all.read.push_back(each.where.id);
            all.places.push_back(each.where);
        }
        all.positions.push_back(reader.position());
        all.goes_on.push_back((*page)->transaction_goes_on);
    }
}

const observe::sink warn = [](const observe::observation& seen) {
    if (const auto* failed = std::get_if<observe::background_failed>(&seen)) {
        WARN(failed->reason);
    }
};

void watch(const database& db, const std::string& table)
{
    db.execute("create table " + table + " (id int primary key, v text); select rowcast.watch('" + table +
               "', notify => true)");
}

// AddressSanitizer keeps what was freed in a quarantine of 256 MB.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t most_growth_kb = 340'000;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::size_t most_growth_kb = 340'000;
#else
constexpr std::size_t most_growth_kb = 40'000;
#endif
#else
constexpr std::size_t most_growth_kb = 40'000;
#endif

std::size_t peak_memory_kb()
{
    std::ifstream status{"/proc/self/status"};
    for (std::string word; status >> word;) {
        if (word == "VmHWM:") {
            std::size_t kb = 0;
            status >> kb;
            return kb;
        }
    }
    return 0;
}

} // namespace

TEST_CASE("a reading can be resumed after each of its pages, and gives exactly the rest")
{
    const database db{with_rowcast};
    const auto identity = identity_of(db);
    watch(db, "t");
    pqxx::connection slow = db.connect();
    pqxx::work open_before{slow};
    open_before.exec("insert into t values (1000, 'open in the first snapshot')");
    const core::cursor head = position_now(db);
    db.execute("begin; insert into t select n from generate_series(1, 60) n; commit; insert into t values (61); insert "
               "into t values (62)");
    open_before.exec("insert into t values (1001, 'last')");
    open_before.commit();
    pqxx::connection slower = db.connect();
    pqxx::work open_after{slower};
    open_after.exec("insert into t values (2000, 'open at the end')");
    db.execute("insert into t values (63); insert into t select n from generate_series(70, 90) n");

    const auto codec = identity.codec();
    log_reader reader{{.url = db.url()}, warn, nullptr, {.changes = 7}};
    reader.open(identity, head, {});
    const reading whole = read_all(reader);
    REQUIRE(whole.read.size() == 60 + 2 + 2 + 1 + 21);
    REQUIRE(whole.positions.size() > 10);

    // What commits meanwhile comes behind the rest of the old step.
    open_after.commit();
    reader.open(identity, whole.positions.back(), {});
    const ids news = read_all(reader).read;
    REQUIRE(news.size() == 1);

    for (std::size_t page = 0; page < whole.positions.size(); ++page) {
        const auto resumed = codec.open(codec.seal(whole.positions[page]));
        REQUIRE(resumed.has_value());
        reader.open(identity, *resumed, {});
        ids expected(whole.read.begin() + static_cast<long>(std::min(7 * (page + 1), whole.read.size())),
                     whole.read.end());
        expected.insert(expected.end(), news.begin(), news.end());
        CHECK(read_all(reader).read == expected);
    }
}

TEST_CASE("a filter leaves out changes, and leaves their transactions' places as they are")
{
    const database db{with_rowcast};
    const auto identity = identity_of(db);
    watch(db, "a");
    watch(db, "b");
    const core::cursor head = position_now(db);
    db.execute("begin; insert into a values (1); insert into b values (1); select rowcast.publish('c', 'e', '1');"
               "select rowcast.publish('d', 'e', '1'); insert into b values (2); commit");
    log_reader reader{{.url = db.url()}, warn, nullptr};
    reader.open(identity, head, {});
    const reading all = read_all(reader);
    REQUIRE(all.read.size() == 5);
    reader.open(identity, head, {.tables = {"public.a"}, .channels = {"c"}});
    const reading some = read_all(reader);
    CHECK(some.places == std::vector<core::place>{all.places[0], all.places[2]});
    CHECK(some.places[0].transaction_end == all.places[4].id);
    reader.open(identity, head, {.tables = {}, .channels = {"nobody's"}});
    CHECK(read_all(reader).read.empty());
    CHECK(reader.position().seen.includes(some.positions.back().seen)); // it moved on all the same
}

TEST_CASE("a reading that rests lets the server go, and goes on where it was")
{
    const database db{with_rowcast};
    const auto identity = identity_of(db);
    watch(db, "t");
    const core::cursor head = position_now(db);
    db.execute("insert into t select n from generate_series(1, 5000) n");
    const auto transactions = [&] {
        return db
            .execute("select from pg_stat_activity where datname = current_database() and application_name = 'rowcast "
                     "reader' and backend_xmin is not null")
            .size();
    };
    log_reader reader{{.url = db.url()}, warn, nullptr, {.changes = 100}};
    reader.open(identity, head, {});
    ids read;
    int failures = 0;
    for (int page = 0; page < 60 && read.size() < 5000; ++page) {
        const auto answer = reader.next();
        if (answer.has_error()) { // what had arrived already was good
            CHECK(answer.error().code == core::error_code::unavailable);
            ++failures;
            continue;
        }
        const core::batch_ptr got = *answer;
        for (const auto& each : got->changes) {
            read.push_back(each.where.id);
        }
        if (page == 3) {
            CHECK(transactions() == 1);
            reader.suspend();
            CHECK(transactions() == 0);
        }
        if (page == 30) {
            db.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and "
                       "application_name = 'rowcast reader'");
        }
    }
    CHECK(failures == 1);
    CHECK(read.size() == 5000);
    CHECK(std::is_sorted(read.begin(), read.end()));

    log_reader impatient{{.url = db.url()}, warn, nullptr, {.changes = 100, .portal_held = 0ms}};
    impatient.open(identity, head, {});
    CHECK(read_all(impatient).read == read);
}

TEST_CASE("a cursor of before what retention removed is expired, one of after it is not, also inside a step")
{
    const database db{with_rowcast};
    const auto identity = identity_of(db);
    watch(db, "t");
    const core::cursor head = position_now(db);
    db.execute("insert into t select n from generate_series(1, 300) n");
    log_reader reader{{.url = db.url()}, warn, nullptr, {.changes = 100}};
    reader.open(identity, head, {});
    REQUIRE((*reader.next())->changes.size() == 100);
    const core::cursor inside = reader.position();
    reader.close();

    // Other tests' transactions hold retention back.
    REQUIRE(support::eventually(
        [&] { return db.execute("select removed from rowcast.expire('0', null)")[0][0].as<int>() == 300; }));
    const core::cursor after = position_now(db);
    for (const core::cursor& old : {head, inside}) {
        reader.open(identity, old, {});
        CHECK(reader.next().error().code == core::error_code::cursor_expired);
    }
    db.execute("insert into t values (1000)");
    reader.open(identity, after, {});
    CHECK(read_all(reader).read.size() == 1);
}

TEST_CASE("a cursor of a future that the database does not have is foreign, whole and inside a step: it was set back")
{
    const database db{with_rowcast};
    const auto identity = identity_of(db);
    const core::snapshot now = position_now(db).seen;
    core::snapshot later = now;
    later.xmin = later.xmax = now.xmax + 1'000'000;
    later.in_progress.clear();
    log_reader reader{{.url = db.url()}, warn, nullptr};
    for (const core::cursor& ahead : {core::cursor{later, std::nullopt}, core::cursor{now, core::cursor::progress{later, {5, 5}}}}) {
        reader.open(identity, ahead, {});
        const auto page = reader.next();
        REQUIRE(page.has_error());
        CHECK(page.error().code == core::error_code::cursor_foreign);
    }
}

TEST_CASE("a cursor of another log is foreign, and one that cannot be read now is not")
{
    const database db{with_rowcast};
    auto identity = identity_of(db);
    log_reader reader{{.url = db.url()}, warn, nullptr};
    ++identity.timeline;
    reader.open(identity, position_now(db), {});
    CHECK(reader.next().error().code == core::error_code::cursor_foreign);
    log_reader away{{.url = "postgresql://nobody@127.0.0.1:1/x"}, warn, nullptr};
    away.open(identity, position_now(db), {});
    CHECK(away.next().error().code == core::error_code::unavailable);
}

TEST_CASE("rows of a megabyte each are read with a few megabytes of memory")
{
    const database db{with_rowcast};
    const auto identity = identity_of(db);
    watch(db, "t");
    const core::cursor head = position_now(db);
    // Small ones before them, so that nothing can be learned from the first rows.
    db.execute("begin; insert into t select n, 'small' from generate_series(1, 1500) n;"
               "insert into t select n, repeat('x', 1000000) from generate_series(2001, 2150) n; commit");
    log_reader reader{{.url = db.url()}, warn, nullptr};
    reader.open(identity, head, {});
    const std::size_t before = peak_memory_kb();
    CHECK(read_all(reader).read.size() == 1650);
    CHECK(peak_memory_kb() - before < most_growth_kb);
}
