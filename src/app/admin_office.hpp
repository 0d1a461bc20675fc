#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/admin_desk.hpp"
#include "app/operator_views.hpp"
#include "app/trust.hpp"
#include "config/configuration.hpp"
#include "config/problem.hpp"
#include "core/result.hpp"
#include "net/server.hpp"
#include "net/services.hpp"
#include "observe/observation.hpp"

namespace rowcast::app {

// Answers what operators ask at server.admin, and tells who changed what. What waits for files or the database is done at
// desks, none of which holds up a revocation, or another kind.
class admin_office {
public:
    // What it needs of the bridge; from any thread.
    struct callbacks {
        std::function<bridge_facts()> facts;
        std::function<net::permissions()> permitted;
        std::function<config::retention()> retention;
        std::function<std::chrono::milliseconds()> longest_token;
        std::function<std::vector<config::problem>(std::vector<std::string>& needs_restart)> reload;
        std::function<net::answer()> rollout;
        std::function<core::result<void>(const core::value& wanted)> change_rollout; // until the next reload or restart, at this bridge
        std::function<void()> look;            // at the database, soon
        std::function<std::string()> examine;  // see bridge::extras
    };

    // All that is given by reference must outlive it; `server` may come to be later.
    admin_office(config::database settings, const trust& trusted, net::server& server, observe::sink tell, callbacks with);

    using actions = std::map<std::string, net::admin_action, std::less<>>;
    actions calls();       // POST /admin/NAME
    actions inspections(); // GET

    void stop(); // waits for what is under way

private:
    net::answer explain(const net::admin_request& asked) const;
    net::answer reload(const net::admin_request& asked) const;
    net::answer revoke(const net::admin_request& asked) const;
    net::answer change_rollout(const net::admin_request& asked) const;
    net::answer watch(const net::admin_request& asked) const;
    net::answer unwatch(const net::admin_request& asked) const;
    void disconnect(const net::admin_request& asked, std::function<void(net::answer)> done) const;
    void list_sessions(const net::admin_request& asked, std::function<void(net::answer)> done) const;
    net::answer look_at_database() const;
    net::answer examine() const;

    const config::database settings_;
    const trust& trusted_;
    net::server& server_;
    const observe::sink tell_;
    const callbacks with_;
    admin_desk orders_; // what the bridge is to go by
    admin_desk inquiries_;
    admin_desk studies_;
    admin_desk examinations_;
    admin_desk errands_;
};

} // namespace rowcast::app
