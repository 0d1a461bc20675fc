#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/batch.hpp"
#include "core/result.hpp"
#include "observe/observation.hpp"
#include "policy/rules.hpp"
#include "policy/set.hpp"
#include "postgres/connection.hpp"
#include "postgres/event.hpp"
#include "postgres/set_reader.hpp"

namespace rowcast::app {

// What the rules' sets hold, for everybody who is here: loaded once a user, and kept current along the change log.
//
// A value is loaded on a thread of its own. From before its query runs it is known by what it depends on, so that no
// change is missed: one that concerns it while it is being read has it read again. The follower hands every page here
// before anybody else sees it; the values that it concerns are read anew, and those that have become others are
// superseded from that page on.
//
// They are read a moment after the page's own snapshot, never before it. So a value may be ahead of the page, by commits
// of a few milliseconds that come with the next one. Nobody sees more for it than they may: what a member who was
// removed and has been taken in again in that moment is sent of the time between is what they could read then, and what
// a resume would give them, which goes by the rights of now.
class set_store {
public:
    // `tell` must outlive it. `changed` is called on its thread when rights may have changed without a page that says so.
    // Values that nobody uses are kept for those who come back, the newest `most_kept` bytes of them.
    set_store(const std::string& url, const observe::sink& tell, std::function<void()> changed,
              std::size_t most_kept = 64 * 1024 * 1024);
    ~set_store(); // stops
    set_store(const set_store&) = delete;

    // The sets that there are, and the tables. Any thread.
    void define(const policy::rules& rules, policy::catalog_ptr watched);

    // Null where it has not been loaded. Any thread, no waiting.
    policy::set_value_ptr find(const policy::set_call& wanted);

    // Calls back through `post`, once, in the order of the calls; fails with `unavailable`. Any thread.
    using values = std::vector<policy::set_value_ptr>;
    using post_back = std::function<void(std::function<void()>)>;
    void load(std::vector<policy::set_call> wanted, post_back post, std::function<void(core::result<values>)> done);

    // The follower's thread. From `follows` on every change comes by; `replaced` where some may not have.
    void follows(core::snapshot head);
    void replaced(core::snapshot head);
    // The values that others have taken the place of, marked. Blocks while those are read.
    values follow(const core::batch& page);

    void stop();

private:
    using lock = std::unique_lock<std::mutex>;
    struct query; // a definition and what PostgreSQL makes of it
    struct entry;
    struct waiter;
    using number = std::size_t;

    void run();
    void prepare(lock& held);
    void load_some(lock& held);
    void finish(entry& of, policy::set_value_ptr value);
    void fail(entry& of, const core::failure& why);
    void answer(waiter& of);
    policy::set_value_ptr make(entry& of, postgres::set_content content);
    void note(entry& of, std::string misfit);
    void remember(const policy::set_value_ptr& value);
    void supersede_all(const query* of);
    void erase(number which);
    void sweep();

    const observe::sink& tell_;
    const std::function<void()> changed_;
    const std::size_t most_kept_;
    postgres::event stop_;
    postgres::set_reader loader_;    // of its thread
    postgres::set_reader following_; // of the follower's

    std::mutex mutex_; // of what follows
    std::condition_variable work_;
    bool stopped_ = false;
    bool follows_ = false;
    core::snapshot head_; // everything up to it has come by
    policy::catalog_ptr watched_;
    std::map<std::string, std::shared_ptr<query>> queries_; // by definition
    std::unordered_map<std::string, number> by_key_;
    std::unordered_map<number, entry> entries_;
    number last_number_ = 0;
    std::uint64_t last_version_ = 0;
    policy::set_index index_;
    std::deque<number> queue_;
    std::deque<policy::set_value_ptr> recent_; // kept though nobody may use them; what is used often stands here, and counts, more than once
    std::size_t recent_bytes_ = 0;
    std::size_t sweep_at_ = 1000;
    std::size_t misfits_ = 0;
    std::thread thread_; // last: it uses the others
};

} // namespace rowcast::app
