#include "net/changes_text.hpp"

#include <algorithm>

#include "protocol/server_message.hpp"

namespace rowcast::net {
namespace {

constexpr std::size_t around_text = 32; // an event's names

std::string word(const hub::changes& what, const cursor_mark& mark)
{
    std::size_t room = 0;
    for (const auto& entry : what.events) {
        room += entry.text.size() + around_text;
    }
    protocol::changes_message message(what.id, mark.put_on(what.cursor), room);
    for (const auto& entry : what.events) {
        message.add({entry.subs, entry.text});
    }
    return message.finish(what.more, what.live);
}

} // namespace

std::shared_ptr<const std::string> changes_text::of(const hub::changes& what, const cursor_mark& mark)
{
    if (what.replayed) { // each catches up by itself
        return std::make_shared<const std::string>(word(what, mark));
    }
    if (!last_ || !says(what, mark)) {
        auto text = std::make_shared<const std::string>(word(what, mark));
        keep(what, mark);
        last_ = std::move(text);
    }
    return last_;
}

bool changes_text::says(const hub::changes& what, const cursor_mark& mark) const
{
    const auto is_said = [](const hub::changes::entry& entry, const event& said) {
        return entry.text.data() == said.text && std::equal(entry.subs.begin(), entry.subs.end(), said.subs.begin(), said.subs.end());
    };
    return what.cursor.data() == cursor_ && what.more == more_ && what.live == live_ && what.id == id_ && mark.text() == mark_ &&
           std::equal(what.events.begin(), what.events.end(), events_.begin(), events_.end(), is_said);
}

// Into what there is of it: where each is told something else, this is done for each.
void changes_text::keep(const hub::changes& what, const cursor_mark& mark)
{
    id_ = what.id;
    mark_ = mark.text();
    cursor_ = what.cursor.data();
    more_ = what.more;
    live_ = what.live;
    kept_ = what.kept;
    events_.resize(what.events.size());
    for (std::size_t i = 0; i < events_.size(); ++i) {
        events_[i].text = what.events[i].text.data();
        events_[i].subs.assign(what.events[i].subs.begin(), what.events[i].subs.end());
    }
}

} // namespace rowcast::net
