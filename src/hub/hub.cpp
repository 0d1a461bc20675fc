#include "hub/hub.hpp"

#include <algorithm>
#include <cassert>

namespace rowcast::hub {

void hub::start(std::shared_ptr<const core::cursor_codec> codec, core::snapshot head)
{
    start(std::move(codec), std::move(head), {});
}

void hub::start(std::shared_ptr<const core::cursor_codec> codec, core::snapshot from, std::vector<core::batch_ptr> past)
{
    codec_ = std::move(codec);
    ring_.restart(std::move(from), std::move(past));
    cursor_ = codec_->seal(ring_.head());
}

std::shared_ptr<publication> hub::match(core::batch_ptr batch)
{
    assert(started());
    auto made = std::make_shared<publication>();
    made->codec = codec_;
    for (std::uint32_t i = 0; i < batch->changes.size(); ++i) {
        const core::change& change = batch->changes[i];
        index_.candidates(change, [&](const view& candidate) {
            ++made->evaluations;
            if (auto seen = see(candidate.spec, change, i, write_)) {
                made->events[candidate.id].push_back(std::move(*seen));
            }
        });
    }
    made->memory = batch->memory();
    for (const auto& [view, events] : made->events) {
        for (const event& each : events) {
            made->memory += sizeof(event) + each.text->size();
        }
    }
    made->batch = std::move(batch);
    return made;
}

publication_ptr hub::publish(core::batch_ptr batch, std::vector<policy::set_value_ptr> superseded)
{
    auto published = match(batch);
    published->superseded = std::move(superseded);
    ring_.push(std::move(batch));
    cursor_ = codec_->seal(ring_.head());
    published->cursor = cursor_;
    return published;
}

publication_ptr hub::pass_on(core::change message)
{
    assert(!inside_transaction());
    const core::cursor& head = ring_.head();
    core::batch alone{head.seen, head.inside ? head.inside->target : head.seen, {}, !head.inside, false};
    if (head.inside) {
        message.where = head.inside->last;
    }
    alone.changes.push_back(std::move(message));
    alone.date();
    auto published = match(std::make_shared<const core::batch>(std::move(alone)));
    published->cursor = cursor_;
    return published;
}

publication_ptr hub::replace(std::shared_ptr<const core::cursor_codec> codec, core::snapshot head, std::string reason)
{
    start(std::move(codec), head);
    auto published = std::make_shared<publication>();
    published->codec = codec_;
    published->batch = std::make_shared<const core::batch>(core::batch{head, head, {}, true, false});
    published->cursor = cursor_;
    published->resync_all = std::move(reason);
    return published;
}

std::optional<attach_reply> hub::attach(const attach_request& request, bool at_last)
{
    assert(started());
    if (ring_.inside_transaction()) {
        return std::nullopt;
    }
    // It was authorized before the change of which the subscribers have been told already.
    if (std::any_of(request.views.begin(), request.views.end(), [](const view_spec& each) { return each.is_superseded(); })) {
        return reply(attach_reply::outcome::superseded);
    }
    if (!request.after) {
        attach_reply live = reply(attach_reply::outcome::live);
        live.views = join(request.views);
        return live;
    }
    const auto reset = [&](core::error_code why) {
        attach_reply made = reply(attach_reply::outcome::reset);
        made.reason = why;
        made.views = join(request.views);
        return made;
    };
    const auto position = codec_->open(*request.after);
    if (!position) {
        return reset(position.error().code);
    }
    if (!position->inside && !ring_.settled().includes(position->seen) && *position != ring_.head()) {
        return at_last ? std::optional(reset(core::error_code::cursor_foreign)) : std::nullopt;
    }
    auto recent = ring_.since(*position);
    if (!recent) {
        attach_reply behind = reply(attach_reply::outcome::behind);
        behind.opened = *position;
        return behind;
    }
    const bool whole = recent->complete && recent->bytes <= most_replayed;
    attach_reply resumed = reply(whole ? attach_reply::outcome::resumed : attach_reply::outcome::replaying);
    resumed.opened = *position;
    resumed.replay = std::move(recent->chapters);
    resumed.first = recent->first;
    if (whole) {
        resumed.views = join(request.views);
    }
    return resumed;
}

attach_reply hub::reply(attach_reply::outcome what) const
{
    attach_reply made;
    made.what = what;
    made.cursor = cursor_;
    made.codec = codec_;
    return made;
}

hub::views_by_hash::iterator hub::find(const std::string& key)
{
    const auto [begin, end] = by_hash_.equal_range(std::hash<std::string>()(key));
    const auto found = std::find_if(begin, end, [&](const auto& each) { return each.second.spec.key() == key; });
    return found == end ? by_hash_.end() : found;
}

std::vector<view_id> hub::join(const std::vector<view_spec>& specs)
{
    std::vector<view_id> ids;
    for (const view_spec& spec : specs) {
        const std::string key = spec.key();
        auto found = find(key);
        const bool is_new = found == by_hash_.end();
        if (is_new) {
            found = by_hash_.emplace(std::hash<std::string>()(key), view());
        }
        view& joined = found->second;
        if (is_new) {
            joined.id = ++last_id_;
            joined.spec = spec;
            by_id_.emplace(joined.id, &joined);
            index_.add(joined);
        }
        ++joined.users;
        ids.push_back(joined.id);
    }
    return ids;
}

void hub::detach(const std::vector<view_id>& views)
{
    for (const view_id id : views) {
        const auto found = by_id_.find(id);
        assert(found != by_id_.end());
        view& left = *found->second;
        if (--left.users == 0) {
            index_.remove(left);
            by_id_.erase(found);
            by_hash_.erase(find(left.spec.key()));
        }
    }
}

} // namespace rowcast::hub
