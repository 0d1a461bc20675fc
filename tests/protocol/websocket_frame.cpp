#include <catch2/catch.hpp>

#include "protocol/websocket_frame.hpp"
#include "support/websocket_frame.hpp"

#include <string>
#include <vector>

using namespace rowcast;
using namespace std::string_literals;
using protocol::frame_reader;
using protocol::opcode;
using support::big_endian;
using support::frame;
using support::frame_of_length;

namespace {

constexpr std::size_t most = 1000;
constexpr unsigned fin = 0x80;

unsigned operator|(unsigned bits, opcode kind) { return bits | static_cast<unsigned>(kind); }

std::string word(const frame_reader::nothing&) { return {}; }
std::string word(const frame_reader::message& what) { return (what.is_text ? "text " : "binary ") + std::string(what.bytes); }
std::string word(const frame_reader::ping& what) { return "ping " + std::string(what.payload); }
std::string word(const frame_reader::pong&) { return "pong"; }
std::string word(const frame_reader::close& what) { return "close " + std::to_string(what.code) + " " + std::string(what.reason); }
std::string word(const frame_reader::violation& what) { return std::to_string(what.code); }

// What becomes of it, up to a violation.
std::vector<std::string> read(std::string_view bytes, std::size_t piece = std::string::npos)
{
    frame_reader reader(most);
    std::vector<std::string> heard;
    while (!bytes.empty()) {
        std::string_view next = bytes.substr(0, piece);
        bytes.remove_prefix(next.size());
        while (!next.empty()) {
            const auto what = reader.next(next);
            if (!std::holds_alternative<frame_reader::nothing>(what)) {
                heard.push_back(std::visit([](const auto& each) { return word(each); }, what));
            }
            if (std::holds_alternative<frame_reader::violation>(what)) {
                return heard;
            }
        }
    }
    return heard;
}

using heard = std::vector<std::string>;

std::string header_of(opcode kind, std::uint64_t size)
{
    protocol::frame_header into{};
    const std::size_t length = protocol::put_header(into, kind, size);
    return {reinterpret_cast<const char*>(into.data()), length};
}

} // namespace

TEST_CASE("frames are the same things in one piece and byte by byte")
{
    const std::string sent = frame(fin | opcode::text, "one") + frame(fin | opcode::binary, "\xff") + frame(fin | opcode::ping, "p") + frame(fin | opcode::pong) +
                             frame(fin | opcode::text, std::string(126, 'x')) + frame(fin | opcode::text) + frame(fin | opcode::close, big_endian(1000, 2) + "enough");
    const heard expected{"text one", "binary \xff", "ping p", "pong", "text " + std::string(126, 'x'), "text ", "close 1000 enough"};
    for (const std::size_t piece : {std::string::npos, std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{64}}) {
        CHECK(read(sent, piece) == expected);
    }
}

TEST_CASE("a message is put together of its fragments, with control frames between them")
{
    CHECK(read(frame(0 | opcode::text, "a\xe2") + frame(fin | opcode::ping, "p") + frame(0 | opcode::continuation) + frame(fin | opcode::pong, "q") +
               frame(fin | opcode::continuation, "\x82\xac") + frame(fin | opcode::text, "b")) == heard{"ping p", "pong", "text a\u20ac", "text b"});
}

TEST_CASE("what RFC 6455 forbids is a violation")
{
    const auto [what, sent] = GENERATE(values<std::pair<std::string, std::string>>({
        {"no mask", "\x81\x01x"s},
        {"a reserved bit", frame(fin | 0x40 | opcode::text)},
        {"an opcode without a meaning", frame(fin | 3)},
        {"a control frame without a meaning", frame(fin | 11)},
        {"a fragmented control frame", frame(0 | opcode::ping)},
        {"a long control frame", frame(fin | opcode::ping, std::string(126, 'x'))},
        {"a short length in 16 bits", frame_of_length(fin | opcode::text, "\x7e\x00\x7d"s, "")},
        {"a short length in 64 bits", frame_of_length(fin | opcode::text, '\x7f' + big_endian(0xFFFF, 8), "")},
        {"a continuation of nothing", frame(fin | opcode::continuation)},
        {"a message inside another one", frame(0 | opcode::text) + frame(fin | opcode::text)},
        {"half a code", frame(fin | opcode::close, "\x03")},
        {"a code that nobody may send", frame(fin | opcode::close, big_endian(1006, 2))},
        {"a reason that is not UTF-8", frame(fin | opcode::close, big_endian(1000, 2) + "\xff")},
    }));
    INFO(what);
    CHECK(read(sent).back() == "1002");
    CHECK(read(sent, 1) == read(sent));
}

TEST_CASE("a text that is not UTF-8 is noticed at its first wrong byte")
{
    for (const std::string& wrong : {"\xff"s, "\xc0\xaf"s, "\xed\xa0"s, "\xe2\x82x"s}) {
        const std::string sent = frame(0 | opcode::text, "a" + wrong);
        CHECK(read(sent) == heard{"1007"});
        CHECK(read(sent, 1) == heard{"1007"});
    }
    CHECK(read(frame(0 | opcode::text, "\xe2") + frame(fin | opcode::continuation, "\x82")) == heard{"1007"});
}

TEST_CASE("a message that is too large is noticed at its header, whatever has come of it")
{
    CHECK(read(frame(fin | opcode::text, std::string(most, 'x'))).front().size() == most + 5);
    CHECK(read(frame_of_length(fin | opcode::text, '\x7e' + big_endian(most + 1, 2), "")) == heard{"1009"});
    CHECK(read(frame_of_length(fin | opcode::text, '\x7f' + big_endian(1ULL << 63, 8), "")) == heard{"1009"});
    CHECK(read(frame(0 | opcode::text, std::string(most, 'x')) + frame_of_length(fin | opcode::continuation, "\x01", "")) == heard{"1009"});
}

TEST_CASE("between messages nothing is kept")
{
    frame_reader reader(most);
    CHECK(reader.is_between_messages());
    const std::string sent = frame(0 | opcode::text, "a") + frame(fin | opcode::continuation, "b");
    for (std::size_t size = 1; size < sent.size(); ++size) {
        std::string_view byte(&sent[size - 1], 1);
        reader.next(byte);
        CHECK_FALSE(reader.is_between_messages());
    }
    std::string_view last(&sent.back(), 1);
    CHECK(word(std::get<frame_reader::message>(reader.next(last))) == "text ab");
    CHECK(reader.is_between_messages());
}

TEST_CASE("a frame's header says its length in as few bytes as there are")
{
    CHECK(header_of(opcode::ping, 0) == "\x89\x00"s);
    CHECK(header_of(opcode::text, 125) == "\x81\x7d"s);
    CHECK(header_of(opcode::text, 126) == "\x81\x7e\x00\x7e"s);
    CHECK(header_of(opcode::text, 65'535) == "\x81\x7e\xff\xff"s);
    CHECK(header_of(opcode::text, 65'536) == "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST_CASE("a close has its code, and as much of its reason as there is room for, in whole characters")
{
    CHECK(protocol::close_payload(1000, "") == "\x03\xe8"s);
    CHECK(protocol::close_payload(4408, "no_heartbeat") == "\x11\x38no_heartbeat"s);
    CHECK(protocol::close_payload(1000, std::string(200, 'x')).size() == 125);
    CHECK(protocol::close_payload(1000, std::string(122, 'x') + "\u20ac") == "\x03\xe8"s + std::string(122, 'x'));
}
