#pragma once

#include <memory>
#include <vector>

#include "hub/feed.hpp"
#include "hub/hub.hpp"
#include "policy/rules.hpp"

namespace rowcast::bench {

class direct_gateway;

// A hub, one shard and its sessions on one thread, without sockets or a database: subscriptions to a table of six columns,
// each to the rows of one owner, and updates of its rows.
class hub_of_many {
public:
    // How their rule says so: `owner_id = me`, by which views are found, or `owner_id >= me and owner_id <= me`, which is asked of each.
    enum class rule { equality, range };

    explicit hub_of_many(rule how = rule::equality);
    ~hub_of_many();
    hub_of_many(const hub_of_many&) = delete;

    // A session of each of these, with a subscription for each; it has been told that they are live. At most a hundred.
    hub::feed& admit(const std::vector<int>& owners);

    // The next batch: one row of theirs is updated.
    core::batch_ptr update_of(int owner);

    hub::publication_ptr match(core::batch_ptr batch) { return hub_.publish(std::move(batch)); }
    void hand_out(const hub::publication_ptr& published) { shard_.publish(published); }

private:
    core::snapshot at_{100, 100, {}};
    std::shared_ptr<const policy::table> orders_;
    policy::rules rules_;
    hub::hub hub_;
    std::unique_ptr<direct_gateway> gateway_;
    hub::shard shard_;
    std::vector<std::unique_ptr<hub::feed>> feeds_;
};

} // namespace rowcast::bench
