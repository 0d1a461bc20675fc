// RFC 6455 by its bytes, as Autobahn's sections 1 to 7 ask: what no library's client can be made to send.

#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "running_server.hpp"
#include "support/raw_client.hpp"
#include "support/websocket_frame.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::big_endian;
using support::frame;
using support::frame_of_length;
using support::mask;
using support::raw_client;

namespace {

// The first byte of a frame (section 5.2).
constexpr unsigned more = 0x00, fin = 0x80, rsv1 = 0x40, rsv2 = 0x20, rsv3 = 0x10;
constexpr unsigned continuation = 0, text = 1, binary = 2, close_frame = 8, ping = 9, pong = 10;

std::string close_with(unsigned code, std::string_view reason = "")
{
    return frame(fin | close_frame, big_endian(code, 2).append(reason));
}

// To a message of this kind the bridge says its id again: what Autobahn's echo is for others.
std::string message(std::string_view id)
{
    return R"({"type":"ping","id":")" + std::string(id) + "\"}";
}

const std::string upgrade = "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// What the bridge says, a word or two a frame: "pong a" is its message, PONG and CLOSE are frames of these kinds. Throws where a
// frame is none that a server may send.
std::string read_frames(std::string_view bytes)
{
    const auto take = [&bytes](std::size_t size) {
        if (size > bytes.size()) {
            throw std::runtime_error("the connection ended inside a frame");
        }
        const std::string_view taken = bytes.substr(0, size);
        bytes.remove_prefix(size);
        return taken;
    };
    const auto number = [&take](std::size_t size) {
        std::uint64_t out = 0;
        for (const char byte : take(size)) {
            out = out << 8 | static_cast<unsigned char>(byte);
        }
        return out;
    };
    std::string heard;
    while (!bytes.empty()) {
        const auto head = number(1);
        auto size = number(1); // 128 more if it were masked, and then too large
        size = size == 126 ? number(2) : size == 127 ? number(8) : size;
        std::string_view payload = take(size);
        heard += heard.empty() ? "" : ", ";
        if (head == (fin | text)) {
            const json said = json::parse(payload);
            heard += said.at("type").get<std::string>();
            for (const char* member : {"id", "code"}) {
                heard += said.contains(member) && said.at(member).is_string() ? " " + said.at(member).get<std::string>() : "";
            }
        } else if (head == (fin | pong)) {
            heard.append("PONG").append(payload.empty() ? "" : " ").append(payload);
        } else if (head == (fin | close_frame)) {
            heard += "CLOSE";
            if (!payload.empty()) {
                heard += " " + std::to_string(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]));
            }
        } else {
            throw std::runtime_error("a frame of the head " + std::to_string(head));
        }
    }
    return heard;
}

std::string converse(const running_server& with, const std::string& sent, bool byte_by_byte = false)
{
    raw_client client(with.port());
    client.send(upgrade);
    client.read_until("\r\n\r\n");
    client.read_until("}"); // the welcome
    for (std::size_t at = 0, size = byte_by_byte ? 1 : sent.size(); at < sent.size(); at += size) {
        client.send({sent.data() + at, size});
    }
    return read_frames(client.read_all());
}

// An administrator who wants all orders. What the bridge says from then on is still to be read.
void subscribe(raw_client& client)
{
    client.send(std::string(upgrade).insert(upgrade.find("Host"), "Authorization: Bearer root:admin:1000\r\n"));
    client.read_until("authenticated");
    client.read_until("}");
    client.send(frame(fin | text, R"({"type":"subscribe","id":"o","table":"public.orders"})"));
}

struct given {
    std::string what;
    std::string sent;
    std::string heard;
};

const std::string limit_of_messages(64 * 1024, 'x');

// Each ends in a close, which is answered only where nothing before it ended the connection.
const std::vector<given>& conversations()
{
    static const std::vector<given> all{
        // 5.4: fragments
        {"a message in one frame", frame(fin | text, message("a")), "pong a, CLOSE 1000"},
        {"a message in three frames",
         frame(more | text, R"({"type":)") + frame(more | continuation, R"("ping","id")") + frame(fin | continuation, R"(:"a"})"), "pong a, CLOSE 1000"},
        {"fragments without a byte", frame(more | text) + frame(more | continuation) + frame(fin | continuation, message("a")), "pong a, CLOSE 1000"},
        {"a ping between two fragments",
         frame(more | text, R"({"type":"ping",)") + frame(fin | ping, "here") + frame(fin | continuation, R"("id":"a"})"), "PONG here, pong a, CLOSE 1000"},
        {"a pong between two fragments",
         frame(more | text, R"({"type":"ping",)") + frame(fin | pong, "here") + frame(fin | continuation, R"("id":"a"})"), "pong a, CLOSE 1000"},
        {"a close between two fragments", frame(more | text, R"({"type":)") + close_with(1000), "CLOSE 1000"},
        {"a continuation of nothing", frame(fin | continuation, message("a")), "CLOSE 1002"},
        {"a message inside another one", frame(more | text, R"({"type":)") + frame(fin | text, message("a")), "CLOSE 1002"},
        {"two messages one after the other", frame(fin | text, message("a")) + frame(fin | text, message("b")), "pong a, pong b, CLOSE 1000"},

        // 5.5: control frames
        {"a ping", frame(fin | ping), "PONG, CLOSE 1000"},
        {"a ping of 125 bytes", frame(fin | ping, std::string(125, 'p')), "PONG " + std::string(125, 'p') + ", CLOSE 1000"},
        {"a ping of 126 bytes", frame(fin | ping, std::string(126, 'p')), "CLOSE 1002"},
        {"a ping in two fragments", frame(more | ping, "p") + frame(fin | continuation, "p"), "CLOSE 1002"},
        {"a pong that nobody asked for", frame(fin | pong, "here"), "CLOSE 1000"},
        {"a pong of 126 bytes", frame(fin | pong, std::string(126, 'p')), "CLOSE 1002"},
        {"a close in two fragments", frame(more | close_frame, "\x03\xe8") + frame(fin | continuation), "CLOSE 1002"},
        {"a close of 126 bytes", close_with(1000, std::string(124, 'r')), "CLOSE 1002"},
        {"what follows a close", close_with(1000) + frame(fin | ping, "late") + frame(fin | text, message("a")), "CLOSE 1000"},

        // 5.2: reserved bits and opcodes, masks, lengths
        {"the first reserved bit", frame(fin | rsv1 | text, message("a")), "CLOSE 1002"},
        {"the second reserved bit", frame(fin | rsv2 | text, message("a")), "CLOSE 1002"},
        {"the third reserved bit", frame(fin | rsv3 | text, message("a")), "CLOSE 1002"},
        {"a reserved bit of a ping", frame(fin | rsv1 | ping), "CLOSE 1002"},
        {"a reserved bit of a continuation", frame(more | text, "{") + frame(fin | rsv1 | continuation, "}"), "CLOSE 1002"},
        {"a frame that is not masked", frame(fin | text, message("a"), mask::no), "CLOSE 1002"},
        {"a ping that is not masked", frame(fin | ping, "", mask::no), "CLOSE 1002"},
        {"a mask of zeros", frame(fin | text, message("a"), mask::zero), "pong a, CLOSE 1000"},
        {"a small length in 16 bits", frame_of_length(fin | text, '\x7e' + big_endian(message("a").size(), 2), message("a")), "CLOSE 1002"},
        {"a small length in 64 bits", frame_of_length(fin | text, '\x7f' + big_endian(message("a").size(), 8), message("a")), "CLOSE 1002"},
        {"a length with the highest of 64 bits", frame_of_length(fin | text, '\x7f' + big_endian(1ULL << 63, 8), "x"), "CLOSE 1009"},
        {"a binary message", frame(fin | binary, message("a")), "CLOSE 4400"},
        {"an empty message", frame(fin | text), "error malformed, CLOSE 4400"},

        // how large a message may be (configuration, message_size)
        {"a frame that is too large", frame(fin | text, limit_of_messages + "x"), "CLOSE 1009"},
        {"a frame that says it will be too large", frame_of_length(fin | text, '\x7f' + big_endian(1ULL << 62, 8), "x"), "CLOSE 1009"},
        {"fragments that are too large together",
         frame(more | text, limit_of_messages.substr(1)) + frame(more | continuation, "x") + frame(fin | continuation, "x"), "CLOSE 1009"},

        // 8.1: UTF-8
        {"characters of one to four bytes", frame(fin | text, message("a\u00e9\u20ac\U0001f600")), "pong a\u00e9\u20ac\U0001f600, CLOSE 1000"},
        {"a character in two fragments",
         frame(more | text, R"({"type":"ping","id":")"
                            "\xf0\x9f") +
             frame(fin | continuation, "\x98\x80\"}"),
         "pong \U0001f600, CLOSE 1000"},
        {"a byte that is no character", frame(fin | text, message("\xff")), "CLOSE 1007"},
        {"a character's rest alone", frame(fin | text, message("\x80")), "CLOSE 1007"},
        {"a character that is too long", frame(fin | text, message("\xc0\xaf")), "CLOSE 1007"},
        {"a surrogate", frame(fin | text, message("\xed\xa0\x80")), "CLOSE 1007"},
        {"a character beyond the last", frame(fin | text, message("\xf4\x90\x80\x80")), "CLOSE 1007"},
        {"half a character at the end", frame(fin | text, "\xe2\x82"), "CLOSE 1007"},
        {"half a character at the end of the last fragment", frame(more | text, "\xe2") + frame(fin | continuation, "\x82"), "CLOSE 1007"},
        {"a character that goes wrong in the next fragment", frame(more | text, "\xe2\x82") + frame(more | continuation, "x"), "CLOSE 1007"},
        {"what is no UTF-8 in a message that goes on", frame(more | text, "\xff"), "CLOSE 1007"},

        // 7.4: closes
        {"a close without a code", frame(fin | close_frame), "CLOSE 1000"},
        {"a close with a reason", close_with(1000, "enough \u20ac"), "CLOSE 1000"},
        {"a close of one byte", frame(fin | close_frame, "\x03"), "CLOSE 1002"},
        {"a close whose reason is no UTF-8", close_with(1000, "\xff"), "CLOSE 1002"},
    };
    return all;
}

} // namespace

TEST_CASE("every frame has the answer of RFC 6455, in one piece and byte by byte", "[net]")
{
    running_server running;
    for (const auto& [what, sent, heard] : conversations()) {
        INFO(what);
        CHECK(converse(running, sent + close_with(1000)) == heard);
        if (sent.size() < 1000) {
            CHECK(converse(running, sent + close_with(1000), true) == heard);
        }
    }
}

TEST_CASE("of a session's end operators are told the code, whoever closed it and why", "[net]")
{
    running_server running;
    std::size_t from = 0;
    const auto code = [&] {
        const unsigned told = running.seen().wait_for<observe::session_closed>([](const auto&) { return true; }, from).code;
        from = running.seen().size();
        return std::to_string(told);
    };
    for (const auto& [what, sent, heard] : conversations()) {
        INFO(what);
        converse(running, sent + close_with(1000));
        CHECK(heard.ends_with("CLOSE " + code()));
    }
    converse(running, close_with(4321));
    CHECK(code() == "4321");
    {
        raw_client client(running.port());
        client.send(upgrade);
        client.read_until("welcome");
    }
    CHECK(code() == "1006");
}

TEST_CASE("opcodes without a meaning end the connection with 1002", "[net]")
{
    running_server running;
    for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
        INFO("opcode " << opcode);
        CHECK(converse(running, frame(fin | opcode) + close_with(1000)) == "CLOSE 1002");
        CHECK(converse(running, frame(more | text, "{") + frame(fin | opcode, "x") + close_with(1000)) == "CLOSE 1002");
    }
}

TEST_CASE("a close is given back with its code, unless nobody may send it", "[net]")
{
    running_server running;
    for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 3000U, 3999U, 4000U, 4999U}) {
        CHECK(converse(running, close_with(code)) == "CLOSE " + std::to_string(code));
    }
    for (const unsigned code : {0U, 1U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U}) {
        INFO("code " << code);
        CHECK(converse(running, close_with(code)) == "CLOSE 1002");
    }
}

TEST_CASE("a continuation of what is complete ends the connection with 1002", "[net]")
{
    running_server running;
    raw_client client(running.port());
    client.send(upgrade);
    client.read_until("}"); // the welcome
    client.send(frame(fin | text, message("a")));
    client.read_until(R"("id":"a"})");
    client.send(frame(fin | continuation, "x"));
    CHECK(read_frames(client.read_all()) == "CLOSE 1002");
}

TEST_CASE("a message is one frame, whatever its length", "[net]")
{
    running_server running;
    raw_client client(running.port());
    subscribe(client);
    std::string read = client.read_until("subscribed");
    std::string expected = "subscribed o";
    for (const std::size_t length : {1U, 50'000U, 100'000U}) {
        running.commit({running_server::order(core::operation::insert, 1, "ann", std::string(length, 'x') + "end")});
        read += client.read_until("end");
        expected += ", changes";
    }
    client.send(close_with(1000));
    CHECK(read_frames(read + client.read_all()) == expected + ", CLOSE 1000");
}

TEST_CASE("the answer to a ping waits for the message of which a slow client has taken a part", "[net]")
{
    running_server::options how;
    how.settings.limits.send_buffer = 50'000;
    how.shards = 1;
    running_server running(how);
    raw_client client(running.port());
    subscribe(client);
    const std::string wide(100'000, 'x');
    for (int i = 0; running.seen().count<observe::fell_behind>() == 0 && i < 1'000; ++i) {
        running.commit({running_server::order(core::operation::insert, i, wide, wide)});
    }
    for (const char* each : {"a", "b", "c"}) {
        client.send(frame(fin | ping, each));
    }
    client.send(close_with(1000));
    const std::string heard = read_frames(client.read_all());
    CAPTURE(heard);
    CHECK(heard.starts_with("subscribed o, changes, "));
    CHECK(heard.find("changes, PONG a") != std::string::npos);
    CHECK(heard.find("PONG b") < heard.find("PONG c"));
    CHECK(heard.ends_with("CLOSE 1000"));
}

TEST_CASE("a client that does not wait for the answer to its upgrade is heard", "[net]")
{
    running_server running;
    raw_client client(running.port());
    client.send(upgrade + frame(fin | text, message("a")) + frame(more | text, R"({"type":)"));
    client.read_until("welcome");
    std::string heard = client.read_until("\"a\"}");
    heard = heard.substr(heard.rfind("\x81")); // behind the welcome
    client.send(frame(fin | continuation, R"("ping","id":"b"})") + close_with(1000));
    CHECK(read_frames(heard + client.read_all()) == "pong a, pong b, CLOSE 1000");
}

TEST_CASE("a client that is closed is waited for, until it has closed as well", "[net]")
{
    running_server running;
    {
        raw_client client(running.port());
        client.send(upgrade);
        client.read_until("}"); // the welcome
        client.send(frame(fin | binary, "x"));
        client.read_until("messages are text"); // the reason of the close
        client.send(frame(fin | ping, "late") + frame(fin | text, message("a"))); // has crossed it
        client.send(close_with(4400));
        CHECK(client.read_all().empty());
    }
    CHECK(running.seen().wait_for<observe::session_closed>([](const auto&) { return true; }).code == 4400);
}

TEST_CASE("a client that leaves in the middle of a frame leaves", "[net][outside]")
{
    running_server running;
    const std::string whole = frame(fin | text, message("a"));
    for (std::size_t size = 0; size < whole.size(); size += 5) {
        raw_client client(running.port());
        client.send(upgrade);
        client.read_until("welcome");
        client.send(whole.substr(0, size));
        client.finish_sending();
        client.read_all();
    }
    CHECK(converse(running, whole + close_with(1000)) == "pong a, CLOSE 1000");
}

TEST_CASE("frames with random damage are answered with frames, or end the connection", "[net][outside]")
{
    running_server running;
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto below = [&](std::size_t end) { return static_cast<std::ptrdiff_t>(random() % end); };
    for (int round = 0; round < 200; ++round) {
        std::string sent;
        for (std::size_t i = random() % 4; i < 4; ++i) {
            sent += conversations()[random() % conversations().size()].sent;
        }
        for (std::size_t i = random() % 4; i < 4; ++i) {
            const auto damage = sent.empty() ? 2 : random() % 3;
            switch (damage) {
            case 0: sent[static_cast<std::size_t>(below(sent.size()))] = static_cast<char>(random()); break;
            case 1: sent.erase(sent.begin() + below(sent.size())); break;
            default: sent.insert(sent.begin() + below(sent.size() + 1), static_cast<char>(random()));
            }
        }
        raw_client client(running.port());
        client.send(upgrade);
        client.read_until("\r\n\r\n");
        client.send(sent);
        client.finish_sending();
        CHECK_NOTHROW(read_frames(client.read_all()));
    }
    CHECK(converse(running, frame(fin | text, message("a")) + close_with(1000)) == "pong a, CLOSE 1000");
}

TEST_CASE("a handshake is taken or refused by RFC 6455", "[net]")
{
    using strings = std::vector<std::string>;
    const std::string host = "Host: x";
    const std::string to = "Upgrade: websocket";
    const std::string on = "Connection: Upgrade";
    const std::string version = "Sec-WebSocket-Version: 13";
    const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    struct handshake {
        std::string what;
        std::string request;
        strings fields;
        std::string status;
        std::string field; // of the answer
    };
    const std::string get = "GET /v1/ws HTTP/1.1";
    const std::string accepted = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const auto [what, request, fields, status, field] = GENERATE_COPY(values<handshake>({
        {"as the RFC has it", get, {host, to, on, version, key}, "101", accepted},
        {"names and words in any case", get, {"HOST: x", "UPGRADE: WebSocket", "connection: upgrade", "sec-websocket-version: 13", key}, "101", accepted},
        {"several words in Connection", get, {host, to, "Connection: keep-alive, Upgrade", version, key}, "101", accepted},
        {"several Connections", get, {host, to, "Connection: keep-alive", on, version, key}, "101", accepted},
        {"several words in Upgrade", get, {host, "Upgrade: h2c, websocket", on, version, key}, "101", accepted},
        {"a subprotocol", get, {host, to, on, version, key, "Sec-WebSocket-Protocol: rowcast.v1"}, "101", "Sec-WebSocket-Protocol: rowcast.v1"},
        {"one of several subprotocols", get, {host, to, on, version, key, "Sec-WebSocket-Protocol: mqtt, rowcast.v1"}, "101", "Sec-WebSocket-Protocol: rowcast.v1"},
        {"subprotocols in two fields", get, {host, to, on, version, key, "Sec-WebSocket-Protocol: mqtt", "Sec-WebSocket-Protocol: rowcast.v1"}, "101", "Sec-WebSocket-Protocol: rowcast.v1"},
        {"an extension that is not known", get, {host, to, on, version, key, "Sec-WebSocket-Extensions: x-ours"}, "101", accepted},
        {"a subprotocol that is not known", get, {host, to, on, version, key, "Sec-WebSocket-Protocol: mqtt"}, "400", ""},
        {"an older version", get, {host, to, on, "Sec-WebSocket-Version: 8", key}, "426", "Sec-WebSocket-Version: 13"},
        {"no version", get, {host, to, on, key}, "400", ""},
        {"no key", get, {host, to, on, version}, "400", ""},
        {"a key of 15 bytes", get, {host, to, on, version, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"}, "400", ""},
        {"a key that is no base64", get, {host, to, on, version, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!!=="}, "400", ""},
        {"two keys", get, {host, to, on, version, key, key}, "400", ""},
        {"no Upgrade", get, {host, on, version, key}, "400", ""},
        {"no Connection", get, {host, to, version, key}, "400", ""},
        {"another Upgrade", get, {host, "Upgrade: h2c", on, version, key}, "400", ""},
        {"no Host", get, {to, on, version, key}, "400", ""},
        {"HTTP/1.0", "GET /v1/ws HTTP/1.0", {host, to, on, version, key}, "400", ""},
        {"HEAD", "HEAD /v1/ws HTTP/1.1", {host, to, on, version, key}, "400", ""},
        {"POST", "POST /v1/ws HTTP/1.1", {host, to, on, version, key}, "405", "Allow: GET, HEAD, OPTIONS"},
    }));
    running_server running;
    raw_client client(running.port());
    std::string sent = request + "\r\n";
    for (const std::string& each : fields) {
        sent += each + "\r\n";
    }
    client.send(sent + "\r\n");
    const std::string answer = client.read_until("\r\n\r\n");
    INFO(what << "\n" << answer);
    CHECK(answer.starts_with("HTTP/1.1 " + status));
    CHECK(answer.find(field.empty() ? "\r\n" : "\r\n" + field + "\r\n") != std::string::npos);
}
