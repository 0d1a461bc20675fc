#include "net/changes_text.hpp"

#include <cstdint>

#include "protocol/server_message.hpp"

namespace rowcast::net {
namespace {

constexpr std::size_t around_text = 32; // an event's names

void append_number(std::string& key, std::uintptr_t number)
{
    key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append_text(std::string& key, std::string_view text)
{
    append_number(key, text.size());
    key += text;
}

void append_key(std::string& key, const hub::changes& what, std::string_view mark)
{
    append_text(key, what.id);
    append_text(key, what.cursor);
    append_text(key, mark);
    append_number(key, (what.more ? 1 : 0) + (what.live ? 2 : 0));
    for (const auto& [subs, text] : what.events) {
        append_number(key, reinterpret_cast<std::uintptr_t>(text.data()));
        append_number(key, text.size());
        append_number(key, subs.size());
        for (const std::string_view sub : subs) {
            append_text(key, sub);
        }
    }
}

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
    next_key_.clear();
    append_key(next_key_, what, mark.text());
    if (!last_ || next_key_ != key_) {
        auto text = std::make_shared<const std::string>(word(what, mark));
        auto kept = what.kept;
        last_.swap(text);
        kept_.swap(kept);
        key_.swap(next_key_);
    }
    return last_;
}

} // namespace rowcast::net
