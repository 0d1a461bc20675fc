#include "hub_of_many.hpp"

#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "protocol/event_text.hpp"

namespace rowcast::bench {

// The hub as a shard sees it, on the same thread.
class direct_gateway final : public hub::gateway {
public:
    explicit direct_gateway(hub::hub& to) : to_(to) {}

    void attach(hub::shard_id, hub::attach_request request, std::function<void(hub::attach_reply)> reply) override
    {
        waiting_.emplace_back(std::move(request), std::move(reply));
    }
    void detach(hub::shard_id, std::vector<hub::view_id> views) override { to_.detach(views); }
    std::unique_ptr<hub::log_reading> read_log(hub::shard_id, core::cursor, std::shared_ptr<const core::cursor_codec>,
                                               std::vector<hub::view_spec>) override
    {
        throw std::logic_error("everybody is live here");
    }
    std::unique_ptr<hub::row_reading> read_rows(hub::shard_id, hub::row_request) override { throw std::logic_error("nobody asks for rows here"); }

    bool idle() const { return waiting_.empty(); }

    void answer()
    {
        for (; !waiting_.empty(); waiting_.pop_front()) {
            auto& [request, reply] = waiting_.front();
            reply(to_.attach(request, true).value());
        }
    }

private:
    hub::hub& to_;
    std::deque<std::pair<hub::attach_request, std::function<void(hub::attach_reply)>>> waiting_;
};

namespace {

std::string row_of(int id, int owner)
{
    return R"({"id":)" + std::to_string(id) + R"(,"owner_id":)" + std::to_string(owner) +
           R"(,"status":"open","total":129.50,"note":"left at the door","updated_at":"2026-11-21T10:00:00.123456+00:00"})";
}

} // namespace

hub_of_many::hub_of_many(rule how)
    : hub_(protocol::event_text, {.bytes = 1024 * 1024, .batches = 16}), gateway_(std::make_unique<direct_gateway>(hub_)),
      shard_(0, *gateway_, protocol::event_text)
{
    orders_ = std::make_shared<const policy::table>(policy::table{"public.orders",
                                                                  {{"id", "bigint", policy::type_family::bigint},
                                                                   {"owner_id", "bigint", policy::type_family::bigint},
                                                                   {"status", "text", policy::type_family::text},
                                                                   {"total", "numeric", policy::type_family::numeric},
                                                                   {"note", "text", policy::type_family::text},
                                                                   {"updated_at", "timestamp with time zone", policy::type_family::timestamptz}},
                                                                  {"id"}});
    const core::value me{std::string("$claims.sub")};
    core::object range;
    range.emplace_back("gte", me);
    range.emplace_back("lte", me);
    core::object owner;
    owner.emplace_back("owner_id", how == rule::equality ? me : core::value{std::move(range)});
    policy::rule own;
    own.where = policy::predicate::parse({std::move(owner)}, true).value();
    rules_.tables["public.orders"] = {own};
    hub_.start(std::make_shared<const core::cursor_codec>("a log", "a key of sixteen bytes"), at_);
}

hub_of_many::~hub_of_many()
{
    feeds_.clear();
}

hub::feed& hub_of_many::admit(const std::vector<int>& owners)
{
    hub::feed& feed = *feeds_.emplace_back(std::make_unique<hub::feed>(shard_, hub::feed_limits{}, [](hub::feed::pull) {}));
    int number = 0;
    for (const int owner : owners) {
        core::object claims;
        claims.emplace_back("sub", core::value{std::to_string(owner)});
        const policy::identity who{std::to_string(owner), {"customer"}, {std::move(claims)}, {}};
        auto sees = policy::authorize(rules_, orders_, who, {});
        hub::feed::request wanted{"s" + std::to_string(number++), {std::make_shared<const policy::visibility>(std::move(sees.value()))}, {}};
        if (!feed.subscribe(std::move(wanted), std::nullopt)) {
            throw std::runtime_error("a subscription was refused");
        }
    }
    do {
        gateway_->answer();
        while (feed.next({})) {
        }
    } while (!gateway_->idle());
    return feed;
}

core::batch_ptr hub_of_many::update_of(int owner)
{
    const int id = static_cast<int>(at_.xmax);
    core::change change;
    change.op = change.cause = core::operation::update;
    change.table = "public.orders";
    change.at = "2026-11-21T10:00:00.123456Z";
    change.xid = at_.xmax;
    change.before = core::row::parse(row_of(id, owner)).value();
    change.after = core::row::parse(row_of(id + 1, owner)).value();
    auto batch = std::make_shared<core::batch>();
    batch->changes.push_back(std::move(change));
    batch->before = at_;
    at_ = batch->after = core::snapshot{at_.xmax + 1, at_.xmax + 1, {}};
    return batch;
}

} // namespace rowcast::bench
