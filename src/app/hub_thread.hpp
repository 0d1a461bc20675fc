#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "app/log_readings.hpp"
#include "app/row_readings.hpp"
#include "core/batch.hpp"
#include "hub/gateway.hpp"
#include "hub/hub.hpp"
#include "observe/observation.hpp"

namespace rowcast::app {

// The hub on a thread of its own, between the source (which calls `started`, `publish`, `replaced`, `message` from its
// thread) and the shards (for whom it is the gateway). Queues are bounded by making the source wait: at most a few
// batches are on their way to the shards.
class hub_thread final : public hub::gateway {
public:
    // Runs `work` on the shard's thread, in the order of the calls; what is posted after the shard's end is dropped.
    using post_to_shard = std::function<void(hub::shard_id, std::function<void()> work)>;
    // To all shards, in the order of these calls and those; lets go of the ticket when they have handed it out.
    using publish_on_shards = std::function<void(const hub::publication_ptr&, const std::shared_ptr<void>& ticket)>;

    hub_thread(hub::ring::limits recent, log_readings& readings, row_readings& rows, observe::sink tell);
    ~hub_thread() override;

    // Before the source starts and before any client comes. `read_now` makes the source read to the end, soon; from any thread.
    void connect(post_to_shard post, publish_on_shards publish, std::function<void()> read_now);

    // `past`: the pages of one step from `from` to where the source stands, or none.
    void started(std::shared_ptr<const core::cursor_codec> codec, core::snapshot from, std::vector<core::batch_ptr> past);
    // Waits while the shards are behind. `superseded`: see hub::publish.
    void publish(core::batch_ptr batch, std::vector<policy::set_value_ptr> superseded);
    void replaced(std::string reason, std::shared_ptr<const core::cursor_codec> codec, core::snapshot head);
    void read_to_end(); // the source has, whether there was anything or not
    void message(core::change passed_on); // dropped where 10,000 wait; that is told

    observe::queues_stand queues() const; // from any thread
    // How long the shards took of late for a batch that concerns somebody, what they had to do before it included; from any thread.
    std::chrono::microseconds handing_out() const { return handing_out_; }

    // Runs `work` on its thread, after what is there already.
    void post(std::function<void()> work) { boost::asio::post(thread_, std::move(work)); }

    // Lets go of a source that waits, then ends the thread. Nothing may be called afterwards but the gateway's
    // functions, which do nothing.
    void stop();

    // gateway
    void attach(hub::shard_id shard, hub::attach_request request, std::function<void(hub::attach_reply)> reply) override;
    void detach(hub::shard_id shard, std::vector<hub::view_id> views) override;
    std::unique_ptr<hub::log_reading> read_log(hub::shard_id shard, core::cursor from, std::shared_ptr<const core::cursor_codec> of,
                                               std::vector<hub::view_spec> views) override;
    std::unique_ptr<hub::row_reading> read_rows(hub::shard_id shard, hub::row_request wanted) override;

private:
    struct parked {
        hub::shard_id shard;
        hub::attach_request request;
        std::function<void(hub::attach_reply)> reply;
        unsigned reads_left; // then it must be decided
    };

    void try_attach(parked wanted);
    void try_parked();
    std::shared_ptr<void> ticket();
    std::shared_ptr<void> timed(std::shared_ptr<void> ticket);

    log_readings& readings_;
    row_readings& rows_;
    post_to_shard post_;
    publish_on_shards publish_;
    std::function<void()> read_now_;
    hub::hub hub_;
    std::vector<parked> parked_;           // until they can be decided
    std::vector<core::change> messages_;   // until a transaction that is under way has ended
    std::counting_semaphore<> room_;
    std::atomic<bool> stopped_ = false;
    std::atomic<std::size_t> waiting_messages_ = 0;
    std::atomic<std::size_t> under_way_ = 0; // batches
    std::atomic<std::size_t> attaching_ = 0; // parked_, for others to see
    std::atomic<std::chrono::microseconds> handing_out_{};
    const observe::sink tell_;
    boost::asio::thread_pool thread_{1};
};

} // namespace rowcast::app
