#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.hpp"
#include "hub/feed.hpp"
#include "net/changes_text.hpp"
#include "net/marked_cursor.hpp"
#include "net/moment.hpp"
#include "net/rate.hpp"
#include "net/session_count.hpp"
#include "net/session_listing.hpp"
#include "net/site.hpp"
#include "policy/identity.hpp"
#include "protocol/client_message.hpp"

namespace rowcast::net {

// The server's side of rowcast.v1 without its socket: messages and moments in, messages and an end out. One thread.
class conversation {
public:
    struct ending {
        core::close_code code = core::close_code::none;
        std::string reason;
    };

    // `ready` is called when `next` has something, or `over` has become true; when it may call `next` is as it is with a feed.
    conversation(hub::shard& home, changes_text& words, const site& shared, const config::server& settings, const config::rollout& offered,
                 std::string name, hub::feed::ready_call ready);

    // Begins with the identity from the header or URL; nothing: an `auth` message must come in time. Who has got no place is told so.
    void open(std::optional<policy::identity> who, bool has_token, core::result<session_count::place> place, std::string peer, moment now);

    void received(std::string_view text, moment now);
    void heard(moment now); // a control frame: the client is alive

    // Carries out what is due; returns whether a ping is to be sent. To be called at `due` and whenever.
    bool tick(moment now);
    std::chrono::steady_clock::time_point due(moment now) const;

    // The rules, the tables or the caller have changed: subscriptions that now see something else end with a resync.
    void reconsider();
    void check_admission(); // whether the caller may stay
    void check_offer(std::chrono::milliseconds reconnect); // whether over a WebSocket
    void say_goodbye(std::chrono::milliseconds reconnect, std::string_view reason = "shutdown");
    void end(core::close_code code, std::string reason); // nothing more is taken; what is in `next` may still be sent

    // The next message for the client; nothing where there is nothing.
    std::shared_ptr<const std::string> next();
    bool has_more() const { return !said_.empty() || over_ || feed_.has_output(); } // or the end

    const std::string& name() const { return name_; } // the session's
    const std::optional<ending>& over() const { return over_; }
    // The client writes without reading its answers: read no more until `next` has been called.
    bool is_choked() const { return unanswered_ >= most_unanswered; }

    const std::string& subject() const { return who_ ? who_->subject : nobody; }
    hub::standing standing() const { return feed_.survey(); }
    void describe(session_description& to, moment now) const;

private:
    static constexpr std::size_t most_unanswered = 64;
    static inline const std::string nobody;

    void take(const protocol::auth_message& message);
    void take(const protocol::subscribe_message& message);
    void take(const protocol::unsubscribe_message& message);
    void take(const protocol::ping_message& message);

    void subscribe(const protocol::wish& wanted);
    void load(const std::string& id, std::vector<policy::set_call> missing);
    void loaded(const std::string& id, std::uint64_t number, const core::result<services::set_values>& values);

    bool is_offered() const;
    void say(std::string message);
    void refuse(std::string_view id, const core::failure& why); // the error, and the end where the code says so
    std::string word(const hub::output& what);

    const site& shared_;
    const config::server& settings_;
    const config::rollout& offered_;
    hub::shard& home_;
    changes_text& words_;
    const std::string name_;
    hub::feed::ready_call ready_;

    std::optional<policy::identity> who_;
    cursor_mark mark_; // theirs
    bool has_token_ = false;
    std::string peer_;
    session_count::place place_;
    hub::feed feed_;
    struct subscription {
        protocol::wish wanted;
        std::string rights; // the view's: whether a change of rules concerns it
    };
    std::map<std::string, subscription, std::less<>> subscriptions_;
    struct pending { // until the sets are there that it needs
        protocol::wish wanted;
        std::uint64_t number; // of the request for them
    };
    std::map<std::string, pending, std::less<>> pending_;
    std::uint64_t last_load_ = 0;

    std::list<std::string> said_;
    std::size_t unanswered_ = 0; // messages of the client, less what was handed out since
    std::optional<ending> over_;
    rate messages_;
    std::chrono::steady_clock::time_point opened_{};
    std::chrono::steady_clock::time_point last_heard_{};
    std::chrono::steady_clock::time_point next_beat_{};
    bool warned_ = false;
    bool came_back_ = false; // with a cursor
    const std::shared_ptr<const int> alive_ = std::make_shared<int>(); // answers that come later find it gone
};

} // namespace rowcast::net
