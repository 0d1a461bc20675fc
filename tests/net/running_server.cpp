#include "running_server.hpp"

#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "net/conversation.hpp"
#include "protocol/json.hpp"
#include "protocol/event_text.hpp"

namespace rowcast::net {
namespace {

constexpr char key[] = "0123456789abcdef";

core::row row(const std::string& json)
{
    auto read = core::row::parse(json);
    if (!read) {
        throw std::logic_error(read.error().message);
    }
    return std::move(*read);
}

policy::predicate where(core::object members)
{
    auto read = policy::predicate::parse({std::move(members)}, true);
    if (!read) {
        throw std::logic_error(read.error().message);
    }
    return *read;
}

core::result<policy::identity> identify(std::optional<std::string_view> token, bool anonymous)
{
    if (!token) {
        if (!anonymous) {
            return core::failure{core::error_code::token_missing, ""};
        }
        return policy::identity{"", {"anonymous"}, {core::object{}}, std::nullopt};
    }
    if (token->starts_with("bad")) {
        return core::failure{core::error_code::token_invalid, "no configured key has signed the token"};
    }
    policy::identity who;
    const std::size_t colon = std::min(token->find(':'), token->size());
    const std::size_t last = std::min(token->find(':', colon + 1), token->size());
    who.subject = token->substr(0, colon);
    who.roles = {colon == token->size() ? "customer" : std::string(token->substr(colon + 1, last - colon - 1))};
    who.claims = {core::object{{"sub", {who.subject}}}};
    if (last < token->size()) {
        int left = 0;
        if (std::from_chars(token->data() + last + 1, token->data() + token->size(), left).ec != std::errc{}) {
            return core::failure{core::error_code::token_invalid, "the time until it expires is a number"};
        }
        who.expires = moment::now().unix_seconds + left;
        if (*who.expires <= moment::now().unix_seconds) {
            return core::failure{core::error_code::token_expired, ""};
        }
    }
    return who;
}

class no_log final : public hub::log_reading {
public:
    no_log(net::server& server, hub::shard_id shard) : server_(server), shard_(shard) {}
    void next(handler done) override
    {
        server_.post(shard_, [done = std::move(done), alive = std::weak_ptr(alive_)] {
            if (alive.lock()) {
                done(core::failure{core::error_code::cursor_expired, ""});
            }
        });
    }

private:
    net::server& server_;
    hub::shard_id shard_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

// Rows that are decided when the reading begins, as of the cursor of that moment.
class given_rows final : public hub::row_reading {
public:
    given_rows(net::server& server, hub::shard_id shard, std::vector<core::result<page>> pages, std::shared_ptr<int> counted)
        : server_(server), shard_(shard), pages_(pages.begin(), pages.end()), counted_(std::move(counted))
    {
    }
    void next(handler done) override
    {
        server_.post(shard_, [this, done = std::move(done), alive = std::weak_ptr(alive_)] {
            if (alive.lock() && !pages_.empty()) {
                auto given = std::move(pages_.front());
                pages_.pop_front();
                done(std::move(given));
            }
        });
    }

private:
    net::server& server_;
    hub::shard_id shard_;
    std::deque<core::result<page>> pages_;
    std::shared_ptr<int> counted_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

} // namespace

config::server running_server::options::local()
{
    config::server settings;
    settings.listen = {{{"127.0.0.1", 0}}};
    settings.admin = settings.listen.front();
    settings.limits.connects_per_second_per_address = 10'000;
    return settings;
}

running_server::running_server(options how)
    : hub_(protocol::event_text, how.recent), codec_(std::make_shared<const core::cursor_codec>("the test's log", key))
{
    hub_.start(codec_, {next_xid_, next_xid_, {}});

    auto orders = std::make_shared<policy::table>();
    orders->name = "public.orders";
    orders->columns = {{"id", "integer", policy::type_family::integer},
                       {"owner_id", "text", policy::type_family::text},
                       {"status", "text", policy::type_family::text},
                       {"secret", "text", policy::type_family::text}};
    orders->key = {"id"};
    auto tables = std::make_shared<policy::catalog>();
    tables->tables["public.orders"] = orders;
    permitted_ = {std::make_shared<const policy::rules>(rules()), tables};

    services with{
        .hub = *this,
        .permitted =
            [this] {
                const std::lock_guard lock(facts_mutex_);
                return permitted_;
            },
        .authenticate =
            [how](auto token) {
                auto who = identify(token, how.anonymous);
                if (who) {
                    who->grace = how.grace;
                }
                return who;
            },
        .admit = [this](const policy::identity& who, std::string_view) -> core::result<void> {
            const std::lock_guard lock(facts_mutex_);
            if (revoked_.contains(who.subject)) {
                return core::failure{core::error_code::token_revoked, ""};
            }
            return {};
        },
        .find_set = [this](const policy::set_call& wanted) -> policy::set_value_ptr {
            const std::lock_guard lock(facts_mutex_);
            const auto found = sets_.find(wanted.arguments.front());
            return found == sets_.end() ? nullptr : found->second;
        },
        .load_sets =
            [this](hub::shard_id shard, std::vector<policy::set_call> calls, auto done) {
                const std::lock_guard lock(facts_mutex_);
                loads_.push_back({shard, std::move(calls), std::move(done)});
            },
        .not_ready =
            [this] {
                const std::lock_guard lock(facts_mutex_);
                return not_ready_;
            },
        .metrics = [] { return std::string("rowcast_up 1\n"); },
        .administer = {{"echo", [](admin_request asked, auto done) { done({200, "application/json", protocol::to_json(asked.body), {}}); }}},
        .inspect = {{"echo", [](admin_request asked, auto done) { done({200, "application/json", protocol::to_json(asked.body), {}}); }}},
        .find_admin_page = [](std::string_view name) { return name.empty() ? std::optional(page{"text/html", "<p>operators"}) : std::nullopt; },
        .find_page = [](std::string_view path) { return path == "/" ? std::optional(page{"text/html", "<p>hello"}) : std::nullopt; },
        .tell = seen_.sink(),
    };
    const bool in_tls = std::getenv("ROWCAST_TEST_TLS") != nullptr && !how.settings.certificate;
    if (in_tls) {
        certificate_ = std::make_unique<support::certificate>("rowcast.test");
        how.settings.certificate = config::tls{certificate_->file(), certificate_->key()};
    }
    server_ = std::make_unique<net::server>(how.settings, how.offered, how.shards, std::move(with), how.times);
    server_->start();
    if (in_tls) {
        tunnel_ = std::make_unique<support::tls_tunnel>(server_->port());
    }
}

running_server::~running_server()
{
    server_->stop(std::chrono::seconds(5));
}

policy::rules running_server::rules()
{
    policy::rules all;
    all.tables["public.orders"] = {
        {{"customer"}, where({{"owner_id", {"$claims.sub"}}}), {{"id", "owner_id", "status"}}, {}},
        {{"admin"}, {}, std::nullopt, {}},
    };
    all.channels = {{"room:*", {{{}, {}, std::nullopt, {}}}}};
    return all;
}

policy::rules running_server::rules_with_sets()
{
    policy::set_definition shared;
    shared.name = "shared";
    shared.parameters.emplace_back(policy::predicate::reference{policy::predicate::reference::kind::claims, {"sub"}});
    policy::rules all;
    all.sets["shared"] = std::make_shared<const policy::set_definition>(std::move(shared));
    all.tables["public.orders"] = {{{}, where({{"owner_id", {core::object{{"in", {"$sets.shared"}}}}}}), std::nullopt, {}}};
    all.channels = {{"room:*", {{{}, where({{"channel", {core::object{{"in", {"$sets.shared"}}}}}}), std::nullopt, {}}}}};
    return all;
}

void running_server::set_set(const std::string& user, std::optional<std::vector<std::string>> owners)
{
    static const auto plan = std::make_shared<const policy::set_plan>();
    std::vector<load> answered;
    policy::set_value_ptr before;
    policy::set_value_ptr made;
    {
        const std::lock_guard lock(facts_mutex_);
        if (owners) {
            const policy::set_call call{permitted_.rules->sets.at("shared"), {user}};
            made = std::make_shared<const policy::set_value>(call, ++last_version_, plan, std::move(*owners), false);
            before = std::exchange(sets_[user], made);
        }
        std::erase_if(loads_, [&](load& each) {
            const bool concerned = each.calls.front().arguments.front() == user;
            if (concerned) {
                answered.push_back(std::move(each));
            }
            return concerned;
        });
    }
    for (load& each : answered) {
        server_->post(each.shard, [made, done = std::move(each.done)] {
            done(made ? core::result<services::set_values>(services::set_values{made})
                      : core::result<services::set_values>(core::failure{core::error_code::unavailable, ""}));
        });
    }
    if (before) {
        before->supersede();
        superseded_.push_back(before);
        commit_something();
    }
}

std::size_t running_server::waiting_loads()
{
    const std::lock_guard lock(facts_mutex_);
    return loads_.size();
}

void running_server::set_rules(policy::rules all)
{
    {
        const std::lock_guard lock(facts_mutex_);
        permitted_.rules = std::make_shared<const policy::rules>(std::move(all));
    }
    server_->permissions_changed();
}

void running_server::revoke(const std::string& subject)
{
    {
        const std::lock_guard lock(facts_mutex_);
        revoked_.insert(subject);
    }
    server_->admissions_changed();
}

void running_server::set_not_ready(std::vector<std::string> reasons)
{
    const std::lock_guard lock(facts_mutex_);
    not_ready_ = std::move(reasons);
}

core::change running_server::order(core::operation op, int id, std::string owner, std::string status)
{
    core::change change;
    change.op = change.cause = op;
    change.table = "public.orders";
    change.at = "2026-11-21T10:00:00.123456Z";
    const std::string json = "{\"id\":" + std::to_string(id) + ",\"owner_id\":\"" + owner + "\",\"status\":\"" + status + "\",\"secret\":\"s\"}";
    (op == core::operation::remove ? change.before : change.after) = row(json);
    return change;
}

core::change running_server::resync(std::string reason)
{
    core::change change;
    change.op = change.cause = core::operation::resync;
    change.table = "public.orders";
    change.event = std::move(reason);
    return change;
}

core::change running_server::message(std::string channel, std::string event, std::string payload)
{
    core::change change;
    change.channel = std::move(channel);
    change.event = std::move(event);
    change.payload = std::move(payload);
    change.at = "2026-11-21T10:00:00.123456Z";
    return change;
}

void running_server::commit(std::vector<core::change> changes)
{
    const std::lock_guard lock(mutex_);
    core::batch batch;
    batch.before = {next_xid_, next_xid_, {}};
    const core::transaction_id xid = next_xid_++;
    batch.after = {next_xid_, next_xid_, {}};
    const core::change_id end = next_id_ + changes.size() - 1;
    for (core::change& each : changes) {
        each.xid = xid;
        each.where = {end, next_id_++};
        batch.changes.push_back(std::move(each));
    }
    batch.date();
    server_->publish(hub_.publish(std::make_shared<const core::batch>(std::move(batch)), std::exchange(superseded_, {})));
    answer_waiting();
}

std::string running_server::cursor_now()
{
    const std::lock_guard lock(mutex_);
    return codec_->seal({{next_xid_, next_xid_, {}}, std::nullopt});
}

std::size_t running_server::views()
{
    const std::lock_guard lock(mutex_);
    return hub_.views();
}

std::string running_server::foreign_cursor() const
{
    return core::cursor_codec("another log", key).seal({{5, 5, {}}, std::nullopt});
}

void running_server::attach(hub::shard_id shard, hub::attach_request request, std::function<void(hub::attach_reply)> reply)
{
    const std::lock_guard lock(mutex_);
    waiting_.push_back({shard, std::move(request), std::move(reply)});
    answer_waiting();
}

void running_server::answer_waiting()
{
    for (std::size_t left = waiting_.size(); left > 0; --left) {
        waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        if (auto reply = hub_.attach(next.request)) {
            server_->post(next.shard, [done = std::move(next.reply), what = std::move(*reply)]() mutable { done(std::move(what)); });
        } else {
            waiting_.push_back(std::move(next));
        }
    }
}

void running_server::detach(hub::shard_id, std::vector<hub::view_id> views)
{
    const std::lock_guard lock(mutex_);
    hub_.detach(views);
}

std::unique_ptr<hub::log_reading> running_server::read_log(hub::shard_id shard, core::cursor, std::shared_ptr<const core::cursor_codec>,
                                                           std::vector<hub::view_spec>)
{
    return std::make_unique<no_log>(*server_, shard);
}

void running_server::set_rows(std::vector<std::string> rows, std::size_t a_page, std::optional<failing> fails)
{
    const std::lock_guard lock(mutex_);
    rows_ = {std::move(rows), a_page, fails};
}

std::unique_ptr<hub::row_reading> running_server::read_rows(hub::shard_id shard, hub::row_request wanted)
{
    const std::lock_guard lock(mutex_);
    const std::string cursor = codec_->seal({{next_xid_, next_xid_, {}}, std::nullopt});
    std::vector<core::result<hub::row_reading::page>> pages;
    std::size_t given = 0;
    for (std::size_t view = 0; view < wanted.views.size(); ++view) {
        hub::row_reading::page page{.view = view, .rows = {}, .cursor = cursor};
        std::size_t of_view = 0;
        for (const std::string& each : rows_.rows) {
            core::change arrival = order(core::operation::insert, 0, "", "");
            arrival.after = row(each);
            const auto seen = wanted.views[view]->see(arrival);
            const auto* shown = std::get_if<policy::effect>(&seen);
            if (!shown) {
                continue;
            }
            if (rows_.fails && given == rows_.fails->first) {
                page.more = true;
                if (page.count > 0) {
                    pages.emplace_back(std::move(page));
                }
                if (rows_.fails->second) {
                    pages.emplace_back(core::failure{*rows_.fails->second, ""});
                }
                return std::make_unique<given_rows>(*server_, shard, std::move(pages), row_readings_);
            }
            if (wanted.limit == of_view) {
                page.cut = true;
                break;
            }
            if (page.count == rows_.a_page) {
                page.more = true;
                pages.emplace_back(std::exchange(page, {.view = view, .rows = {}, .cursor = cursor}));
            }
            page.rows += page.count++ == 0 ? "" : ",";
            protocol::append_object(page.rows, shown->row);
            ++given;
            ++of_view;
        }
        pages.emplace_back(std::move(page));
    }
    return std::make_unique<given_rows>(*server_, shard, std::move(pages), row_readings_);
}

} // namespace rowcast::net
