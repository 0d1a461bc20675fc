#include "cli/change_printer.hpp"
#include "cli/commands.hpp"
#include "cli/interruption.hpp"
#include "cli/notices.hpp"
#include "cli/settings.hpp"
#include "observe/log_sink.hpp"
#include "postgres/administration.hpp"
#include "postgres/follower.hpp"
#include "postgres/log_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace rowcast::cli {

namespace {

using namespace std::chrono_literals;

struct options {
    database_choice database;
    std::vector<std::string> tables;
    std::string since;
    std::optional<std::uint64_t> count;
    bool json = false;
};

// What is written, on the follower's thread; the main thread only asks whether it is over.
class listing {
public:
    listing(const options& given, postgres::connection_options connect_with, postgres::administration& database,
            observe::sink tell)
        : given_(given)
        , connect_with_(std::move(connect_with))
        , database_(database)
        , tell_(std::move(tell))
        , printer_(wants_colour(STDOUT_FILENO), terminal_width(),
                   [this](const std::string& table) { return key_of(table); })
    {
    }

    // Which tables there are. Fails where one that was asked for is not watched.
    core::result<void> learn()
    {
        const auto watched = database_.watched();
        if (!watched) {
            return watched.error();
        }
        for (const postgres::watched_table& each : *watched) {
            keys_[each.name] = each.key;
        }
        for (const std::string& wanted : given_.tables) {
            const std::string name = keys_.contains("public." + wanted) ? "public." + wanted : wanted;
            if (!keys_.contains(name)) {
                return core::failure{core::error_code::unknown_table,
                                     wanted + " is not watched; see `rowcast status`, or: rowcast watch " + wanted};
            }
            tables_.push_back(name);
        }
        return {};
    }

    // From the cursor to now; what the follower brings of it again is left out.
    void begin(const postgres::log_identity& identity, const core::snapshot& head)
    {
        identity_ = identity;
        position_ = {head, std::nullopt};
        if (given_.since.empty()) {
            return;
        }
        const auto since = identity.codec().open(given_.since);
        if (!since) {
            return fail(since.error());
        }
        postgres::log_reader reader(connect_with_, tell_, nullptr);
        reader.open(identity, *since, {});
        position_ = *since;
        while (!over_) {
            const auto page = reader.next();
            if (!page) {
                return fail(page.error());
            }
            if (!*page) {
                break;
            }
            show(**page, core::snapshot{});
            if (!over_) {
                position_ = reader.position();
            }
        }
        written_already_ = position_.seen;
    }

    void page(const core::batch& read)
    {
        if (over_) {
            return;
        }
        show(read, written_already_);
        if (!over_ && !written_already_.includes(read.after)) {
            position_ = read.position();
        }
    }

    void replaced(std::string_view reason, const postgres::log_identity& identity, const core::snapshot& head)
    {
        std::cerr << "rowcast: the change log has no continuation (" << reason << "); going on from now\n";
        identity_ = identity;
        position_ = {head, std::nullopt};
        written_already_ = {};
    }

    bool over() const { return over_; }

    const std::optional<core::failure>& failure() const { return failure_; } // when the follower has stopped

    std::string cursor() const { return identity_ ? identity_->codec().seal(position_) : ""; } // then too

private:
    bool wanted(const core::change& each) const
    {
        return tables_.empty() || std::find(tables_.begin(), tables_.end(), each.table) != tables_.end();
    }

    void show(const core::batch& read, const core::snapshot& without)
    {
        std::vector<const core::change*> chosen;
        for (const core::change& each : read.changes) {
            if (!wanted(each) || position_.covers(each.xid, each.where) || without.sees(each.xid)) {
                continue;
            }
            chosen.push_back(&each);
            if (given_.count && ++written_ == *given_.count) {
                position_ = {read.before, core::cursor::progress{read.after, each.where}};
                over_ = true;
                break;
            }
        }
        if (chosen.empty()) {
            return;
        }
        std::string text;
        if (given_.json) {
            for (const core::change* each : chosen) {
                text += change_json(*each, key_of(each->table)) + "\n";
            }
        } else {
            text = printer_.print(chosen);
        }
        if (!(std::cout << text << std::flush)) {
            fail({core::error_code::internal, "cannot write to standard output"});
        }
    }

    // A table that was watched after the start is looked up once.
    std::vector<std::string> key_of(const std::string& table)
    {
        if (!keys_.contains(table)) {
            if (const auto watched = database_.watched()) {
                for (const postgres::watched_table& each : *watched) {
                    keys_[each.name] = each.key;
                }
            }
            keys_.try_emplace(table);
        }
        return keys_[table];
    }

    void fail(core::failure why)
    {
        failure_ = std::move(why);
        over_ = true;
    }

    const options& given_;
    const postgres::connection_options connect_with_;
    postgres::administration& database_;
    const observe::sink tell_;
    change_printer printer_;
    std::map<std::string, std::vector<std::string>, std::less<>> keys_;
    std::vector<std::string> tables_;
    std::optional<postgres::log_identity> identity_;
    core::cursor position_;
    core::snapshot written_already_;
    std::uint64_t written_ = 0;
    std::optional<core::failure> failure_;
    std::atomic<bool> over_ = false;
};

exit_status run(const options& given)
{
    const auto url = find_database(given.database);
    if (const auto* failed = std::get_if<exit_status>(&url)) {
        return *failed;
    }
    interruption stop;
    const postgres::connection_options connect_with{
        .url = std::get<std::string>(url), .purpose = "rowcast tail", .read_only = false};
    observe::log_sink log(observe::level::warn);
    postgres::administration database(connect_with, say_notice);
    listing out(given, connect_with, database, std::ref(log));
    if (const auto known = out.learn(); !known) {
        return report(known.error());
    }
    postgres::follower_callbacks callbacks;
    callbacks.started = [&](const auto& identity, const auto& head) { out.begin(identity, head); };
    callbacks.batch = [&](const core::batch_ptr& page) { out.page(*page); };
    callbacks.replaced = [&](std::string_view reason, const auto& identity, const auto& head) {
        out.replaced(reason, identity, head);
    };
    postgres::follower source({.connection = connect_with, .poll_interval = 5s, .notify_channels = {}, .pages = {}},
                              callbacks, std::ref(log));
    while (!out.over() && !stop.wait(20ms)) {
    }
    source.stop();
    if (out.failure()) {
        return report(*out.failure());
    }
    if (!out.cursor().empty()) {
        std::cerr << (given.json ? "" : "\n") << "To go on from here: rowcast tail --since " << out.cursor() << '\n';
    }
    return exit_status::ok;
}

} // namespace

void add_tail(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command =
        program.add_subcommand("tail", "Print changes as they are committed, straight from the database");
    add_database_options(*command, given->database);
    command->add_option("-t,--table", given->tables, "Only this table; may be repeated")
        ->delimiter(',')
        ->type_name("TABLE");
    command->add_option("-s,--since", given->since, "Begin where an earlier `tail` or a client ended")
        ->type_name("CURSOR");
    command->add_option("-n,--count", given->count, "End after so many changes")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    command->add_flag("--json", given->json, "One JSON object a line (so it is, too, where the output is no terminal)");
    command->footer("Everything that is captured is shown: this asks for no rules, only for the bridge's rights in the "
                    "database.\n\n"
                    "  rowcast tail --table public.orders\n"
                    "  rowcast tail --json | jq .row");
    auto with_default = [](options chosen_options) {
        chosen_options.json = chosen_options.json || !is_terminal(STDOUT_FILENO);
        return run(chosen_options);
    };
    on_chosen(*command, chosen, given, with_default);
}

} // namespace rowcast::cli
