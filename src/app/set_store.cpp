#include "app/set_store.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

namespace rowcast::app {
namespace {

using namespace std::chrono_literals;
using core::error_code;

constexpr std::size_t most_entries = 200'000;
constexpr std::size_t most_recent = 4'000;
constexpr auto retry_delay = 1s;

postgres::connection_options connect_with(const std::string& url, const char* purpose)
{
    // The follower waits for it: what takes longer is no set.
    return {.url = url, .purpose = purpose, .read_only = true, .statement_timeout = 5s};
}

std::string because(const std::string& set, const std::string& problem)
{
    return "the set '" + set + "' cannot be read" + (problem.empty() ? "" : ": " + problem);
}

} // namespace

struct set_store::query {
    policy::set_definition_ptr of;
    std::shared_ptr<const postgres::set_statement> how; // null until PostgreSQL has been asked
    bool asked = false;                                 // since the tables are what they are
    std::map<std::string, std::size_t> misfits;         // by SQLSTATE: how many have it
};

struct set_store::waiter {
    std::vector<policy::set_value_ptr> found;
    std::size_t missing = 0;
    post_back post;
    std::function<void(core::result<values>)> done;
};

struct set_store::entry {
    policy::set_call call;
    std::string key;
    std::shared_ptr<query> from;
    std::shared_ptr<const postgres::set_statement> how; // that it is indexed by; null: it is not
    std::vector<std::string> keys;
    std::weak_ptr<const policy::set_value> value;
    bool loading = false;
    bool outdated = false; // a change concerned it while it was being read
    std::string misfit;    // see postgres::set_content
    std::vector<std::pair<std::shared_ptr<waiter>, std::size_t>> waiters; // and the place in what they wait for
};

set_store::set_store(const std::string& url, const observe::sink& tell, std::function<void()> changed, std::size_t most_kept)
    : tell_(tell)
    , changed_(std::move(changed))
    , most_kept_(most_kept)
    , loader_(connect_with(url, "rowcast sets"), tell_, &stop_)
    , following_(connect_with(url, "rowcast sets in order"), tell_, &stop_)
    , thread_([this] { run(); })
{
}

set_store::~set_store()
{
    stop();
}

void set_store::stop()
{
    {
        const std::lock_guard held(mutex_);
        stopped_ = true;
        stop_.set();
        work_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void set_store::define(const policy::rules& rules, policy::catalog_ptr watched)
{
    const std::lock_guard held(mutex_);
    watched_ = std::move(watched);
    std::map<std::string, std::shared_ptr<query>> now;
    for (const auto& [name, definition] : rules.sets) {
        const std::string text = definition->text();
        const auto known = queries_.find(text);
        auto& kept = now[text] = known == queries_.end() ? std::make_shared<query>() : known->second;
        kept->of = definition;
        kept->asked = false;
    }
    for (const auto& [text, gone] : queries_) {
        if (!now.contains(text)) {
            supersede_all(gone.get());
        }
    }
    queries_ = std::move(now);
    work_.notify_all();
}

policy::set_value_ptr set_store::find(const policy::set_call& wanted)
{
    const std::lock_guard held(mutex_);
    const auto found = by_key_.find(wanted.key());
    const auto value = found == by_key_.end() ? nullptr : entries_.at(found->second).value.lock();
    if (value) {
        remember(value);
    }
    return value;
}

void set_store::load(std::vector<policy::set_call> wanted, post_back post, std::function<void(core::result<values>)> done)
{
    const auto waiting = std::make_shared<waiter>();
    waiting->found.resize(wanted.size());
    waiting->missing = wanted.size();
    waiting->post = std::move(post);
    waiting->done = std::move(done);
    const std::lock_guard held(mutex_);
    const auto refuse = [&](std::string why) {
        waiting->post([done = std::move(waiting->done), why = std::move(why)] { done(core::failure{error_code::unavailable, why}); });
    };
    sweep();
    if (!follows_ || !watched_ || stopped_ || entries_.size() + wanted.size() > most_entries) {
        refuse(follows_ && !stopped_ ? "there are as many sets as there may be" : "");
        return;
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        std::string key = wanted[i].key();
        const auto from = queries_.find(wanted[i].of->text());
        if (from == queries_.end()) { // of rules that have gone
            refuse("");
            return;
        }
        const auto [place, is_new] = by_key_.try_emplace(key, last_number_ + 1);
        entry& each = entries_[place->second];
        if (is_new) {
            ++last_number_;
            each.call = std::move(wanted[i]);
            each.key = std::move(key);
            each.from = from->second;
        }
        if (auto value = each.value.lock()) {
            waiting->found[i] = std::move(value);
            --waiting->missing;
            continue;
        }
        each.waiters.emplace_back(waiting, i);
        if (!std::exchange(each.loading, true)) {
            queue_.push_back(place->second);
        }
    }
    answer(*waiting);
    work_.notify_all();
}

void set_store::run()
{
    lock held(mutex_);
    while (!stopped_) {
        try {
            prepare(held);
            load_some(held);
            const auto to_do = [&] {
                return stopped_ || !queue_.empty() ||
                       std::any_of(queries_.begin(), queries_.end(), [](const auto& each) { return !each.second->asked; });
            };
            work_.wait(held, to_do);
        } catch (const std::exception& error) {
            if (!held.owns_lock()) {
                held.lock();
            }
            if (stopped_) {
                break;
            }
            tell_(observe::background_failed{"reading sets", error.what()});
            for (const number each : std::exchange(queue_, {})) {
                if (const auto found = entries_.find(each); found != entries_.end()) {
                    fail(found->second, {error_code::unavailable, ""});
                    erase(each);
                }
            }
            work_.wait_for(held, retry_delay, [&] { return stopped_; });
        }
    }
}

// Asks PostgreSQL what each query that it has not been asked about depends on.
void set_store::prepare(lock& held)
{
    for (;;) {
        const auto next = std::find_if(queries_.begin(), queries_.end(), [](const auto& each) { return !each.second->asked; });
        if (next == queries_.end() || !watched_ || stopped_) {
            return;
        }
        const std::shared_ptr<query> about = next->second;
        const policy::catalog_ptr watched = watched_;
        const auto definition = about->of;
        held.unlock();
        const auto how = std::make_shared<const postgres::set_statement>(loader_.prepare(*definition, *watched));
        held.lock();
        if (watched != watched_) {
            continue;
        }
        about->asked = true;
        const bool same = about->how && *about->how == *how;
        const bool is_watched = std::all_of(definition->watch.begin(), definition->watch.end(),
                                            [&](const std::string& table) { return watched->find(table) != nullptr; });
        if (!same && !how->problem.empty() && is_watched) { // else whoever checks the rules has said so
            tell_(observe::rule_misfit{definition->at.line > 0 ? "line " + std::to_string(definition->at.line) + " of the configuration" : "",
                                       because(definition->name, how->problem), true});
        }
        if (!same && std::exchange(about->how, how)) {
            supersede_all(about.get());
            held.unlock();
            changed_();
            held.lock();
        }
    }
}

// Those of one query that wait, in one statement.
void set_store::load_some(lock& held)
{
    if (queue_.empty() || stopped_) {
        return;
    }
    std::shared_ptr<query> from;
    std::vector<number> whose;
    std::deque<number> left;
    std::vector<std::vector<std::string>> arguments;
    for (const number each : std::exchange(queue_, {})) {
        const auto found = entries_.find(each);
        if (found == entries_.end()) {
            continue;
        }
        entry& wanted = found->second;
        if (!wanted.from->how) { // of rules that have gone
            fail(wanted, {error_code::unavailable, ""});
            erase(each);
            continue;
        }
        from = from ? from : wanted.from;
        if (wanted.from != from || whose.size() == postgres::set_reader::most_at_once) {
            left.push_back(each);
            continue;
        }
        whose.push_back(each);
        arguments.push_back(wanted.call.arguments);
        wanted.outdated = false;
        if (!wanted.how) {
            wanted.how = from->how;
            wanted.keys = policy::set_keys(*wanted.how->plan, wanted.call.arguments);
            index_.add(*wanted.how->plan, wanted.keys, each);
        }
    }
    queue_ = std::move(left);
    if (whose.empty()) {
        return;
    }
    const auto how = from->how;
    const core::snapshot head = head_;
    std::vector<postgres::set_content> contents(whose.size());
    std::exception_ptr lost;
    if (how->problem.empty()) {
        held.unlock();
        try {
            contents = loader_.read(*how, arguments, head);
        } catch (...) {
            lost = std::current_exception();
        }
        held.lock();
    } else {
        for (postgres::set_content& each : contents) {
            each.has_null = true; // a condition on it is unknown
        }
    }
    for (std::size_t i = 0; i < whose.size(); ++i) {
        const auto found = entries_.find(whose[i]);
        if (found == entries_.end()) {
            continue;
        }
        if (lost || contents[i].is_unreadable()) {
            if (!lost) {
                tell_(observe::set_failed{from->of->name, contents[i].problem});
            }
            fail(found->second, {error_code::unavailable, lost ? "" : because(from->of->name, "")});
            erase(whose[i]);
        } else if (found->second.outdated || found->second.how != how) {
            queue_.push_back(whose[i]);
        } else {
            finish(found->second, make(found->second, std::move(contents[i])));
        }
    }
    tell_(observe::sets_read{whose.size(), 0, 0, entries_.size(), misfits_});
    if (lost) {
        std::rethrow_exception(lost);
    }
}

policy::set_value_ptr set_store::make(entry& of, postgres::set_content content)
{
    const bool is_null = content.has_null || !content.misfit.empty();
    note(of, std::move(content.misfit));
    return std::make_shared<const policy::set_value>(of.call, ++last_version_, of.how->plan, std::move(content.texts), is_null);
}

// Told of the first, and again when there was none meanwhile: a query that stumbles may do so for everybody, at every change.
void set_store::note(entry& of, std::string misfit)
{
    if (misfit == of.misfit) {
        return;
    }
    auto& all = of.from->misfits;
    if (!misfit.empty()) {
        ++misfits_;
        if (++all[misfit] == 1) {
            tell_(observe::set_misfit{of.call.of->name, misfit});
        }
    }
    if (!of.misfit.empty()) {
        --misfits_;
        if (--all[of.misfit] == 0) {
            all.erase(of.misfit);
        }
    }
    of.misfit = std::move(misfit);
}

void set_store::finish(entry& of, policy::set_value_ptr value)
{
    of.loading = false;
    of.value = value;
    remember(value);
    for (auto& [waiting, place] : std::exchange(of.waiters, {})) {
        waiting->found[place] = value;
        --waiting->missing;
        answer(*waiting);
    }
}

void set_store::fail(entry& of, const core::failure& why)
{
    for (auto& [waiting, place] : std::exchange(of.waiters, {})) {
        if (waiting->done) {
            waiting->post([done = std::exchange(waiting->done, nullptr), why] { done(why); });
        }
    }
}

void set_store::answer(waiter& of)
{
    if (of.missing == 0 && of.done) {
        of.post([done = std::exchange(of.done, nullptr), found = std::move(of.found)]() mutable { done(std::move(found)); });
    }
}

void set_store::follows(core::snapshot head)
{
    const std::lock_guard held(mutex_);
    follows_ = true;
    head_ = std::move(head);
}

void set_store::replaced(core::snapshot head)
{
    const std::lock_guard held(mutex_);
    supersede_all(nullptr);
    head_ = std::move(head);
}

set_store::values set_store::follow(const core::batch& page)
{
    struct concerned {
        std::vector<number> whose;
        std::vector<std::vector<std::string>> arguments;
        values before;
    };
    std::map<std::shared_ptr<const postgres::set_statement>, concerned> by_query;
    {
        const std::lock_guard held(mutex_);
        head_ = page.after;
        std::unordered_set<number> found;
        for (const core::change& each : page.changes) {
            if (each.op != core::operation::message) {
                index_.find(each, found);
            }
        }
        for (const number each : found) {
            entry& of = entries_.at(each);
            if (of.loading) {
                of.outdated = true;
            } else if (auto value = of.value.lock()) {
                concerned& with = by_query[of.how];
                with.whose.push_back(each);
                with.arguments.push_back(of.call.arguments);
                with.before.push_back(std::move(value));
            } else {
                erase(each);
            }
        }
    }
    values superseded;
    for (auto& [how, all] : by_query) {
        std::vector<postgres::set_content> contents;
        try {
            if (how->problem.empty()) {
                contents = following_.read(*how, all.arguments, page.after);
            }
        } catch (const std::exception& error) {
            if (stop_.is_set()) {
                return {};
            }
            tell_(observe::background_failed{"reading sets", error.what()});
        }
        const std::lock_guard held(mutex_);
        const std::size_t before = superseded.size();
        for (std::size_t i = 0; i < all.whose.size(); ++i) {
            const auto found = entries_.find(all.whose[i]);
            policy::set_value_ptr now;
            if (found == entries_.end() || contents.empty()) {
                // Of rules that have gone, or not read.
            } else if (contents[i].is_unreadable()) {
                tell_(observe::set_failed{found->second.call.of->name, contents[i].problem});
            } else {
                now = make(found->second, std::move(contents[i]));
                if (now->has_same_values(*all.before[i])) {
                    continue;
                }
            }
            all.before[i]->supersede();
            superseded.push_back(all.before[i]);
            if (now) {
                found->second.value = now;
                remember(now);
            } else {
                erase(all.whose[i]); // who wants it reads it again, and is told where that fails
            }
        }
        tell_(observe::sets_read{0, all.whose.size(), superseded.size() - before, entries_.size(), misfits_});
    }
    return superseded;
}

// Of one query, or (null) all. What is being loaded is loaded again.
void set_store::supersede_all(const query* of)
{
    std::vector<number> gone;
    for (auto& [which, each] : entries_) {
        if (of && each.from.get() != of) {
            continue;
        }
        if (each.loading) {
            each.outdated = true;
            if (each.how) {
                index_.remove(*each.how->plan, each.keys, which);
                each.how = nullptr;
            }
            continue;
        }
        if (const auto value = each.value.lock()) {
            value->supersede();
        }
        gone.push_back(which);
    }
    for (const number each : gone) {
        erase(each);
    }
}

void set_store::erase(number which)
{
    const auto found = entries_.find(which);
    if (found == entries_.end()) {
        return;
    }
    note(found->second, "");
    if (found->second.how) {
        index_.remove(*found->second.how->plan, found->second.keys, which);
    }
    by_key_.erase(found->second.key);
    entries_.erase(found);
}

void set_store::remember(const policy::set_value_ptr& value)
{
    if (recent_.empty() || recent_.back() != value) {
        recent_.push_back(value);
        recent_bytes_ += value->memory();
    }
    while (!recent_.empty() && (recent_.size() > most_recent || recent_bytes_ > most_kept_)) {
        recent_bytes_ -= recent_.front()->memory();
        recent_.pop_front();
    }
}

// Values that nobody uses any more leave their entries behind.
void set_store::sweep()
{
    if (entries_.size() < sweep_at_) {
        return;
    }
    std::vector<number> gone;
    for (const auto& [which, each] : entries_) {
        if (!each.loading && each.value.expired()) {
            gone.push_back(which);
        }
    }
    for (const number each : gone) {
        erase(each);
    }
    sweep_at_ = std::max<std::size_t>(1000, 2 * entries_.size());
}

} // namespace rowcast::app
