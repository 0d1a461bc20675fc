#include "app/admin_office.hpp"

#include <utility>

#include "app/inquiry.hpp"
#include "app/operator_calls.hpp"
#include "core/counted.hpp"
#include "core/excerpt.hpp"
#include "postgres/administration.hpp"

namespace rowcast::app {
namespace {

using core::error_code;

constexpr std::chrono::seconds patience_with_explanations{5}; // for each statement
constexpr std::chrono::seconds patience_with_studies{5};

// What takes no parameters.
admin_desk::work plain(std::function<net::answer()> answer)
{
    return [answer = std::move(answer)](const net::admin_request& asked) {
        const auto fine = read_nothing(asked.body);
        return fine ? answer() : net::refuse(fine.error());
    };
}

net::admin_action at_once(admin_desk::work answer)
{
    return [answer = std::move(answer)](const net::admin_request& asked, const auto& done) { done(answer(asked)); };
}

} // namespace

admin_office::admin_office(config::database settings, const trust& trusted, net::server& server, observe::sink tell, callbacks with)
    : settings_(std::move(settings)), trusted_(trusted), server_(server), tell_(std::move(tell)), with_(std::move(with))
{
}

admin_office::actions admin_office::calls()
{
    return {{"disconnect", [this](const net::admin_request& asked, auto done) { disconnect(asked, std::move(done)); }},
            {"explain", inquiries_.action([this](const net::admin_request& asked) { return explain(asked); })},
            {"reload", orders_.action([this](const net::admin_request& asked) { return reload(asked); })},
            {"revoke", orders_.action([this](const net::admin_request& asked) { return revoke(asked); })},
            {"rollout", orders_.action([this](const net::admin_request& asked) { return change_rollout(asked); })},
            {"unwatch", errands_.action([this](const net::admin_request& asked) { return unwatch(asked); })},
            {"watch", errands_.action([this](const net::admin_request& asked) { return watch(asked); })}};
}

admin_office::actions admin_office::inspections()
{
    return {{"bridge", at_once(plain([this] { return bridge_told(with_.facts()); }))},
            {"database", studies_.action(plain([this] { return look_at_database(); }))},
            {"health", examinations_.action(plain([this] { return examine(); }))},
            {"rollout", at_once(plain(with_.rollout))},
            {"rules", at_once(plain([this] { return rules_listed(with_.permitted()); }))},
            {"sessions", [this](const net::admin_request& asked, auto done) { list_sessions(asked, std::move(done)); }}};
}

void admin_office::stop()
{
    for (admin_desk* each : {&orders_, &inquiries_, &studies_, &examinations_, &errands_}) {
        each->stop();
    }
}

net::answer admin_office::explain(const net::admin_request& asked) const
{
    const auto wanted = read_inquiry(asked.body);
    if (!wanted) {
        return net::refuse(wanted.error());
    }
    const auto who = wanted->claims ? trusted_.suppose(*wanted->claims) : trusted_.authenticate(wanted->token);
    if (!who) {
        return not_let_in(who.error()); // the user, not the operator
    }
    const net::permissions now = with_.permitted();
    if (!now.tables) {
        return net::refuse({error_code::unavailable, "the watched tables have not been read yet"});
    }
    const auto at = [](const std::string& url) {
        return postgres::connection_options{.url = url, .purpose = "rowcast explain", .statement_timeout = patience_with_explanations};
    };
    const auto found = answer(*wanted, *now.rules, *who, sources{at(settings_.url), at(settings_.rows_url()), now.tables});
    tell_(observe::administered{asked.peer, "explain what " + (who->subject.empty() ? "somebody without a name" : "the user " + core::excerpt(who->subject)) + " gets",
                                std::string(found ? policy::to_string(found->what) : core::to_string(found.error().code))});
    return found ? explained(*found) : net::refuse(found.error());
}

net::answer admin_office::reload(const net::admin_request& asked) const
{
    if (const auto fine = read_nothing(asked.body); !fine) {
        return net::refuse(fine.error());
    }
    std::vector<std::string> needs_restart;
    const auto problems = with_.reload(needs_restart);
    tell_(observe::administered{asked.peer, "reload the configuration", problems.empty() ? "done" : "refused"});
    return problems.empty() ? reload_done(needs_restart) : reload_refused(problems);
}

net::answer admin_office::revoke(const net::admin_request& asked) const
{
    auto wanted = read_revocation(asked.body);
    if (!wanted) {
        return net::refuse(wanted.error());
    }
    if (!wanted->lasts) {
        wanted->lasts = with_.longest_token();
    }
    const auto until = postgres::administration({.url = settings_.url}).revoke(*wanted);
    tell_(observe::administered{asked.peer, "revoke the " + wanted->kind + " '" + wanted->name + "'",
                                until ? "until " + *until : until.error().message});
    if (!until) {
        return net::refuse(until.error());
    }
    with_.look(); // PostgreSQL tells us as well, if all is well
    return revoke_done(*wanted, *until);
}

net::answer admin_office::change_rollout(const net::admin_request& asked) const
{
    if (const auto done = with_.change_rollout(asked.body); !done) {
        return net::refuse(done.error());
    }
    tell_(observe::administered{asked.peer, "change the rollout", "done"});
    return with_.rollout();
}

net::answer admin_office::watch(const net::admin_request& asked) const
{
    const auto wanted = read_watch(asked.body);
    if (!wanted) {
        return net::refuse(wanted.error());
    }
    std::vector<std::string> warnings;
    const auto table = postgres::administration({.url = settings_.url}, [&](const std::string& each) { warnings.push_back(each); }).watch(*wanted);
    tell_(observe::administered{asked.peer, "watch the table '" + wanted->table + "'", table ? "done" : table.error().message});
    if (!table) {
        return net::refuse(table.error());
    }
    with_.look();
    return table_watched(*table, warnings);
}

net::answer admin_office::unwatch(const net::admin_request& asked) const
{
    const auto table = read_unwatch(asked.body);
    if (!table) {
        return net::refuse(table.error());
    }
    const auto was = postgres::administration({.url = settings_.url}).unwatch(*table);
    tell_(observe::administered{asked.peer, "unwatch the table '" + *table + "'", was ? (*was ? "done" : "it was not watched") : was.error().message});
    if (!was) {
        return net::refuse(was.error());
    }
    with_.look();
    return *was ? table_unwatched(*table) : net::refuse({error_code::unknown_table, "the table " + core::excerpt(*table) + " is not watched"});
}

void admin_office::disconnect(const net::admin_request& asked, std::function<void(net::answer)> done) const
{
    const auto whom = read_choice(asked.body);
    if (!whom) {
        done(net::refuse(whom.error()));
        return;
    }
    server_.send_away(*whom, [this, whom = *whom, peer = asked.peer, done = std::move(done)](std::size_t sessions) {
        tell_(observe::administered{peer, whom.session.empty() ? "disconnect the user '" + whom.user + "'" : "disconnect the session '" + whom.session + "'",
                                    core::counted(sessions, "session")});
        done(sent_away(sessions));
    });
}

void admin_office::list_sessions(const net::admin_request& asked, std::function<void(net::answer)> done) const
{
    const auto wanted = read_search(asked.body);
    if (!wanted) {
        done(net::refuse(wanted.error()));
        return;
    }
    server_.list_sessions(*wanted, [done = std::move(done), position = with_.facts().position](const net::session_listing& found) {
        done(sessions_listed(found, position));
    });
}

net::answer admin_office::look_at_database() const
{
    postgres::administration database({.url = settings_.url}, {}, patience_with_studies);
    const auto status = database.status();
    if (!status) {
        return net::refuse(status.error());
    }
    const auto sizes = database.sizes();
    return sizes ? database_told(*status, *sizes, with_.retention()) : net::refuse(sizes.error());
}

net::answer admin_office::examine() const
{
    if (!with_.examine) {
        return net::refuse({error_code::unsupported, "nobody examines this bridge's database; see rowcast doctor"});
    }
    return {200, "application/json", with_.examine(), {}};
}

} // namespace rowcast::app
