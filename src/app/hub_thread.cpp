#include "app/hub_thread.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/event_text.hpp"

namespace rowcast::app {
namespace {

constexpr std::ptrdiff_t most_batches_under_way = 16;
constexpr std::size_t most_waiting_messages = 10'000;

// A cursor of a bridge that is ahead is of the future until the source has read once from a moment after it came: what
// it still does not reach then, this database will never have. The read under way began earlier, so it takes two.
constexpr unsigned reads_to_reach_a_cursor = 2;

} // namespace

hub_thread::hub_thread(hub::ring::limits recent, log_readings& readings, row_readings& rows, observe::sink tell)
    : readings_(readings), rows_(rows), hub_(&protocol::event_text, recent), room_(most_batches_under_way), tell_(std::move(tell))
{
}

hub_thread::~hub_thread()
{
    stop();
}

void hub_thread::connect(post_to_shard post, publish_on_shards publish, std::function<void()> read_now)
{
    post_ = std::move(post);
    publish_ = std::move(publish);
    read_now_ = std::move(read_now);
}

void hub_thread::stop()
{
    stopped_ = true;
    thread_.stop();
    thread_.join();
}

// Gives its place back when the last shard has let go of it.
std::shared_ptr<void> hub_thread::ticket()
{
    while (!room_.try_acquire_for(std::chrono::milliseconds(100))) {
        if (stopped_) {
            return nullptr;
        }
    }
    ++under_way_;
    return {static_cast<void*>(this), [this](void*) {
                --under_way_;
                room_.release();
            }};
}

// The same ticket, with whose end it is known how long handing out took.
std::shared_ptr<void> hub_thread::timed(std::shared_ptr<void> ticket)
{
    return {static_cast<void*>(this), [this, since = std::chrono::steady_clock::now(), ticket = std::move(ticket)](void*) {
                handing_out_ = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - since);
            }};
}

void hub_thread::started(std::shared_ptr<const core::cursor_codec> codec, core::snapshot from, std::vector<core::batch_ptr> past)
{
    boost::asio::post(thread_, [this, codec = std::move(codec), from = std::move(from), past = std::move(past)]() mutable {
        hub_.start(std::move(codec), std::move(from), std::move(past));
        try_parked();
    });
}

void hub_thread::publish(core::batch_ptr batch, std::vector<policy::set_value_ptr> superseded)
{
    auto place = ticket();
    boost::asio::post(thread_, [this, batch = std::move(batch), superseded = std::move(superseded), place = std::move(place)]() mutable {
        const hub::publication_ptr made = hub_.publish(std::move(batch), std::move(superseded));
        std::size_t events = 0;
        for (const auto& [view, of_view] : made->events) {
            events += of_view.size();
        }
        tell_(observe::changes_matched{made->batch->changes.size(), made->evaluations, events});
        publish_(made, events > 0 ? timed(std::move(place)) : std::move(place));
        if (!hub_.inside_transaction()) {
            for (core::change& each : std::exchange(messages_, {})) {
                publish_(hub_.pass_on(std::move(each)), nullptr);
                --waiting_messages_;
            }
        }
        try_parked();
    });
}

void hub_thread::replaced(std::string reason, std::shared_ptr<const core::cursor_codec> codec, core::snapshot head)
{
    boost::asio::post(thread_, [this, reason = std::move(reason), codec = std::move(codec), head = std::move(head)]() mutable {
        publish_(hub_.replace(std::move(codec), std::move(head), std::move(reason)), nullptr);
        try_parked();
    });
}

void hub_thread::read_to_end()
{
    boost::asio::post(thread_, [this] {
        tell_(observe::changes_matched{});
        for (parked& each : parked_) {
            each.reads_left -= std::min(each.reads_left, 1U);
        }
        try_parked();
    });
}

void hub_thread::message(core::change passed_on)
{
    if (waiting_messages_ >= most_waiting_messages) {
        tell_(observe::message_dropped{passed_on.channel});
        return;
    }
    ++waiting_messages_;
    auto place = ticket();
    boost::asio::post(thread_, [this, passed_on = std::move(passed_on), place = std::move(place)]() mutable {
        if (hub_.started() && !hub_.inside_transaction()) {
            publish_(hub_.pass_on(std::move(passed_on)), std::move(place));
            --waiting_messages_;
        } else {
            messages_.push_back(std::move(passed_on));
        }
    });
}

observe::queues_stand hub_thread::queues() const
{
    return {under_way_, waiting_messages_, attaching_};
}

void hub_thread::attach(hub::shard_id shard, hub::attach_request request, std::function<void(hub::attach_reply)> reply)
{
    boost::asio::post(thread_, [this, wanted = parked{shard, std::move(request), std::move(reply), reads_to_reach_a_cursor}]() mutable {
        try_attach(std::move(wanted));
    });
}

void hub_thread::try_attach(parked wanted)
{
    auto answer = hub_.started() ? hub_.attach(wanted.request, wanted.reads_left == 0) : std::nullopt;
    if (!answer) {
        parked_.push_back(std::move(wanted));
        ++attaching_;
        if (hub_.started() && !hub_.inside_transaction()) {
            read_now_();
        }
        return;
    }
    post_(wanted.shard, [reply = std::move(wanted.reply), answer = std::move(*answer)]() mutable { reply(std::move(answer)); });
}

void hub_thread::try_parked()
{
    for (parked& each : std::exchange(parked_, {})) {
        --attaching_;
        try_attach(std::move(each));
    }
}

void hub_thread::detach(hub::shard_id, std::vector<hub::view_id> views)
{
    boost::asio::post(thread_, [this, views = std::move(views)] { hub_.detach(views); });
}

std::unique_ptr<hub::log_reading> hub_thread::read_log(hub::shard_id shard, core::cursor from, std::shared_ptr<const core::cursor_codec> of,
                                                       std::vector<hub::view_spec> views)
{
    return readings_.begin(std::move(from), of, views, [this, shard](std::function<void()> work) { post_(shard, std::move(work)); });
}

std::unique_ptr<hub::row_reading> hub_thread::read_rows(hub::shard_id shard, hub::row_request wanted)
{
    return rows_.begin(std::move(wanted), [this, shard](std::function<void()> work) { post_(shard, std::move(work)); });
}

} // namespace rowcast::app
