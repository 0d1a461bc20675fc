#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/cursor.hpp"
#include "hub/hub.hpp"
#include "net/server.hpp"
#include "support/certificate.hpp"
#include "support/recorder.hpp"
#include "support/tls_tunnel.hpp"

namespace rowcast::net {

// A server on a port of its own with the real hub behind it, and a change log that the test writes by hand. Tokens are
// of the form `subject`, `subject:role` or `subject:role:seconds until it expires`.
//
// With ROWCAST_TEST_TLS in the environment it speaks TLS, and port() is of a tunnel to it: the same tests hold over TLS.
//
// Tables: public.orders(id, owner_id, status, secret), of which a `customer` sees their own rows without `secret`, and
// an `admin` everything. Channels: `room:*` for everybody. Operators may POST
// and GET /admin/echo, and have a page.
class running_server final : public hub::gateway {
public:
    struct options {
        config::server settings = local();
        config::rollout offered = {};
        bool anonymous = true;
        std::int64_t grace = 0;
        unsigned shards = 2;
        hub::ring::limits recent;
        time_limits times = {};
        static config::server local();
    };

    running_server() : running_server(options{}) {}
    explicit running_server(options how);
    ~running_server();

    std::uint16_t port() const { return tunnel_ ? tunnel_->port() : server_->port(); }
    std::uint16_t admin_port() const { return server_->admin_port(); }
    net::server& server() { return *server_; }
    support::recorder& seen() { return seen_; }

    // One transaction's changes, committed.
    void commit(std::vector<core::change> changes);
    // Nothing that anybody watches, so that the cursor moves.
    void commit_something() { commit({}); }

    static core::change order(core::operation op, int id, std::string owner, std::string status);
    static core::change resync(std::string reason);
    static core::change message(std::string channel, std::string event, std::string payload);

    std::string cursor_now();
    std::size_t views(); // that somebody is attached to
    // What a client was given, without the mark of its rights.
    static std::string unmarked(const std::string& cursor) { return cursor.substr(0, cursor.find('.')); }
    std::string foreign_cursor() const;

    void set_rules(policy::rules all);
    static policy::rules rules();
    // The set `shared` of the rules below, whose only parameter is the user: for an `admin`'s helper, of owners. Until
    // it is set, loading waits; null: it fails.
    static policy::rules rules_with_sets();
    void set_set(const std::string& user, std::optional<std::vector<std::string>> owners);
    std::size_t waiting_loads();

    void revoke(const std::string& subject); // also where they are connected
    void set_not_ready(std::vector<std::string> reasons);

    void attach(hub::shard_id shard, hub::attach_request request, std::function<void(hub::attach_reply)> reply) override;
    void detach(hub::shard_id shard, std::vector<hub::view_id> views) override;
    std::unique_ptr<hub::log_reading> read_log(hub::shard_id shard, core::cursor from, std::shared_ptr<const core::cursor_codec> of,
                                               std::vector<hub::view_spec> views) override;
    std::unique_ptr<hub::row_reading> read_rows(hub::shard_id shard, hub::row_request wanted) override;

    // What the table holds, for readings that begin from now on; `a_page` rows a page. After so many rows a reading
    // `fails`; without a reason, it waits for ever.
    using failing = std::pair<std::size_t, std::optional<core::error_code>>;
    void set_rows(std::vector<std::string> rows, std::size_t a_page = 2, std::optional<failing> fails = {});
    std::size_t open_row_readings() const { return row_readings_.use_count() - 1; }

private:
    struct waiting {
        hub::shard_id shard;
        hub::attach_request request;
        std::function<void(hub::attach_reply)> reply;
    };
    void answer_waiting();
    struct load {
        hub::shard_id shard;
        std::vector<policy::set_call> calls;
        std::function<void(core::result<services::set_values>)> done;
    };

    support::recorder seen_;
    std::mutex mutex_; // the hub's thread, so to speak
    hub::hub hub_;
    std::shared_ptr<const core::cursor_codec> codec_;
    core::transaction_id next_xid_ = 700;
    core::change_id next_id_ = 1;
    std::deque<waiting> waiting_;

    struct table_rows {
        std::vector<std::string> rows;
        std::size_t a_page = 2;
        std::optional<failing> fails;
    } rows_;
    std::shared_ptr<int> row_readings_ = std::make_shared<int>();

    std::mutex facts_mutex_;
    permissions permitted_;
    std::vector<std::string> not_ready_;
    std::map<std::string, policy::set_value_ptr> sets_; // by user
    std::vector<load> loads_;
    std::uint64_t last_version_ = 0;
    std::vector<policy::set_value_ptr> superseded_; // with the next commit
    std::set<std::string> revoked_;
    std::unique_ptr<support::certificate> certificate_;
    std::unique_ptr<net::server> server_;
    std::unique_ptr<support::tls_tunnel> tunnel_;
};

} // namespace rowcast::net
