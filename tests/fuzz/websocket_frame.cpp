// What a client sends on an open WebSocket, frame by frame. The first byte says how large a message may be.

#include "protocol/websocket_frame.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/fuzzer.hpp"
#include "protocol/utf8.hpp"

namespace rowcast::fuzz {
namespace {

using namespace protocol;

struct thing {
    std::size_t kind;
    std::uint16_t code;
    std::string bytes;
    std::string_view what;
    bool operator==(const thing&) const = default;
};

struct reading {
    std::vector<thing> things;
    bool between_messages;
    bool operator==(const reading&) const = default;
};

bool may_be_given_back(std::uint16_t code)
{
    return code >= 1000 && code < 5000 && code != 1004 && code != close_number::none_given && code != close_number::abnormal && code != 1015;
}

void look_at(const frame_reader::nothing&, thing&, std::size_t) {}
void look_at(const frame_reader::message& what, thing& as, std::size_t most)
{
    must(what.bytes.size() <= most, "a message is no longer than it may be");
    must(!what.is_text || is_utf8(what.bytes), "a text is UTF-8");
    as.bytes = what.bytes;
    as.code = what.is_text ? 1 : 0;
}
void look_at(const frame_reader::ping& what, thing& as, std::size_t)
{
    must(what.payload.size() <= 125, "a ping can be answered");
    as.bytes = what.payload;
}
void look_at(const frame_reader::pong&, thing&, std::size_t) {}
void look_at(const frame_reader::close& what, thing& as, std::size_t)
{
    must(what.code == close_number::none_given || may_be_given_back(what.code), "a close has a code that can be given back");
    must(is_utf8(what.reason) && what.reason.size() <= 123, "a close has a reason that can be read");
    as.code = what.code;
    as.bytes = what.reason;
}
void look_at(const frame_reader::violation& what, thing& as, std::size_t)
{
    must(what.code == close_number::protocol_error || what.code == close_number::not_utf8 || what.code == close_number::too_big, "a violation has its code");
    must_be_readable(what.what);
    as.code = what.code;
    as.what = what.what;
}

// Up to the first violation.
reading read(std::string_view input, std::size_t most, std::size_t piece)
{
    frame_reader reader(most);
    reading out{{}, true};
    for (std::size_t at = 0; at < input.size(); at += piece) {
        std::string next(input.substr(at, piece)); // of its own: nothing may point to it afterwards
        std::string_view left = next;
        while (!left.empty()) {
            const std::size_t before = left.size();
            const auto what = reader.next(left);
            must(left.size() < before, "something is taken each time");
            must(!std::holds_alternative<frame_reader::nothing>(what) || left.empty(), "nothing is what all of it has come to");
            thing made{what.index(), 0, {}, {}};
            std::visit([&](const auto& each) { look_at(each, made, most); }, what);
            if (!std::holds_alternative<frame_reader::nothing>(what)) {
                out.things.push_back(std::move(made));
            }
            if (std::holds_alternative<frame_reader::violation>(what)) {
                return out;
            }
        }
    }
    out.between_messages = reader.is_between_messages();
    return out;
}

} // namespace

void parse(std::string_view input)
{
    if (input.empty()) {
        return;
    }
    const std::size_t most = 8 * static_cast<std::size_t>(static_cast<unsigned char>(input.front()));
    input.remove_prefix(1);
    const reading all = read(input, most, std::max<std::size_t>(input.size(), 1));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{14}}) {
        must(read(input, most, piece) == all, "frames are the same things in pieces of any size");
    }
    for (const thing& each : all.things) {
        frame_header header{};
        const std::size_t size = put_header(header, opcode::text, each.bytes.size());
        must(size >= 2 && size <= header.size() && header[0] == 0x81 && (header[1] & 0x80) == 0, "what is sent has a header of a server's");
        must(is_utf8(std::string_view(close_payload(close_number::normal, each.bytes)).substr(2)), "a close is sent with a reason that can be read");
    }
}

} // namespace rowcast::fuzz
