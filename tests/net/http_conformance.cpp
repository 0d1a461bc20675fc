// RFC 9112 and 9110 by their bytes: above all, that nobody can make the bridge see other requests than a proxy before it does
// ("request smuggling", RFC 9112 section 11.2).

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "running_server.hpp"
#include "support/raw_client.hpp"

using namespace rowcast;
using net::running_server;
using support::raw_client;

namespace {

const std::string last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

// The status of each answer, in their order: "200, 405".
std::string statuses(std::string bytes)
{
    std::string out;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find("\r\n\r\n");
        REQUIRE(bytes.starts_with("HTTP/1.1 "));
        REQUIRE(end != std::string::npos);
        const std::string head = bytes.substr(0, end);
        out += (out.empty() ? "" : ", ") + head.substr(9, 3);
        const std::size_t length = head.find("\r\nContent-Length: ");
        bytes.erase(0, end + 4 + (length == std::string::npos ? 0 : std::stoul(head.substr(length + 18))));
    }
    return out;
}

struct given {
    std::string what;
    std::string sent; // and after it one more request, the last one
    std::string answered;
};

std::string get(const std::string& fields)
{
    return "GET /healthz HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

std::string chunked(const std::string& body)
{
    return get("Transfer-Encoding: chunked\r\n") + body;
}

} // namespace

TEST_CASE("where a request ends is never in doubt", "[net]")
{
    running_server running;
    for (const auto& [what, sent, answered] : std::vector<given>{
             // how long it is (RFC 9112 section 6)
             {"a GET with content", get("Content-Length: 5\r\n") + "hello", "200, 200"},
             {"content in chunks", chunked("5\r\nhello\r\n0\r\n\r\n"), "200, 200"},
             {"chunks with extensions", chunked("5;a=\"b\"\r\nhello\r\n0;c\r\n\r\n"), "200, 200"},
             {"a length and chunks", get("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", "400"},
             {"chunks and a length", get("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n") + "0\r\n\r\n", "400"},
             {"two lengths", get("Content-Length: 0\r\nContent-Length: 5\r\n"), "400"},
             {"two lengths in one field", get("Content-Length: 0, 5\r\n"), "400"},
             {"a length with a sign", get("Content-Length: +5\r\n") + "hello", "400"},
             {"a negative length", get("Content-Length: -1\r\n"), "400"},
             {"a hexadecimal length", get("Content-Length: 0x5\r\n") + "hello", "400"},
             {"no length in the length", get("Content-Length:\r\n"), "400"},
             {"a length beyond 64 bits", get("Content-Length: 18446744073709551621\r\n") + "hello", "400"},
             {"chunks twice", get("Transfer-Encoding: chunked, chunked\r\n") + "0\r\n\r\n", "400"},
             {"chunks twice, in two fields", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", "400"},
             {"chunks that are not the last encoding", get("Transfer-Encoding: chunked, identity\r\n") + "0\r\n\r\n", "400"},
             {"an encoding that is not known", get("Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n", "400"},
             {"an encoding that is not known before the chunks", get("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n", "400"},
             {"an encoding with a vertical tab", get("Transfer-Encoding:\vchunked\r\n") + "0\r\n\r\n", "400"},
             {"chunks in HTTP/1.0", "GET /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
             // chunks (section 7.1)
             {"a chunk that is longer than it says", chunked("4\r\nhello\r\n0\r\n\r\n"), "400"},
             {"a chunk without a size", chunked("\r\nhello\r\n0\r\n\r\n"), "400"},
             {"a chunk's size with a sign", chunked("+5\r\nhello\r\n0\r\n\r\n"), "400"},
             {"a chunk's size with an x", chunked("0x5\r\nhello\r\n0\r\n\r\n"), "400"},
             {"a chunk's size beyond 64 bits", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"), "400"},
             {"a chunk's line that ends in a line feed alone", chunked("5\nhello\r\n0\r\n\r\n"), "400"},
             {"an extension with a line feed", chunked("5;\nhello\r\n0\r\n\r\n"), "400"},
             {"a chunk that is too large", chunked("10001\r\n" + std::string(0x10001, 'x') + "\r\n0\r\n\r\n"), "413"},
             // lines and fields (sections 2.2 and 5)
             {"a blank before the colon", get("Content-Length : 5\r\n") + "hello", "400"},
             {"a tab before the colon", get("Transfer-Encoding\t: chunked\r\n") + "0\r\n\r\n", "400"},
             {"a field without a colon", get("Content-Length 5\r\n") + "hello", "400"},
             {"a field without a name", get(": 5\r\n"), "400"},
             {"a name with a bracket", get("X(y): 5\r\n"), "400"},
             {"a blank before the first field", "GET /healthz HTTP/1.1\r\n Host: x\r\n\r\n", "400"},
             {"a carriage return alone", get("X: a\rContent-Length: 5\r\n"), "400"},
             {"a line feed alone", get("X: a\nContent-Length: 5\r\n"), "400"},
             {"a zero byte", get(std::string("X: a\0b\r\n", 8)), "400"},
             {"fields that end in line feeds", "GET /healthz HTTP/1.1\nHost: x\n\n", "400"},
             {"a field's value on two lines", get("X: a\r\n b\r\n"), "200, 200"},
             {"an empty line before the request", "\r\n" + get(""), "400"},
             // the first line (section 3)
             {"two blanks", "GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
             {"a tab", "GET\t/healthz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
             {"no version", "GET /healthz\r\nHost: x\r\n\r\n", "400"},
             {"a version in small letters", "GET /healthz http/1.1\r\nHost: x\r\n\r\n", "400"},
             {"a blank in the target", "GET /healthz /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
             {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
             {"a whole URL", "GET http://y/healthz HTTP/1.1\r\nHost: x\r\n\r\n", "200, 200"},
             {"a whole URL without a path", "GET http://y HTTP/1.1\r\nHost: x\r\n\r\n", "200, 200"},
             {"an authority", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", "400, 200"},
             // methods (RFC 9110 section 9)
             {"a method in small letters", "get /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "501, 200"},
             {"a method that is not for this", "TRACE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "405, 200"},
             // whose end is the connection's
             {"HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", "200"},
             {"HTTP/1.0 that wants to go on", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200, 200"},
             {"one that is the last in the second field", get("Connection: keep-alive\r\nConnection: close\r\n"), "200"},
         }) {
        INFO(what);
        raw_client client(running.port());
        client.send(sent + last);
        CHECK(statuses(client.read_all()) == answered);
    }
}

TEST_CASE("what stands behind the content is no field of the request", "[net]")
{
    running_server running;
    raw_client client(running.port());
    client.send("GET /v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                "0\r\nAuthorization: Bearer root:admin:1000\r\n\r\n");
    CHECK(client.read_all().find(R"({"roles":["anonymous"])") != std::string::npos);
}

TEST_CASE("a client that asks before it sends content is told to go on", "[net]")
{
    running_server running;
    raw_client client(running.port());
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    CHECK(statuses(client.read_all()) == "200");
}

TEST_CASE("a client that has sent its content already, or has none, is not told to go on", "[net]")
{
    running_server running;
    for (const std::string rest : {"Content-Length: 5\r\n\r\nhello", "\r\n"}) {
        raw_client client(running.port());
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n" + rest);
        CHECK(statuses(client.read_all()) == "200");
    }
}

TEST_CASE("of a whole URL the host is the request's, whatever the field says", "[net]")
{
    running_server running;
    raw_client client(running.port());
    client.send("GET http://app.example.com/v1/session?access_token=ann HTTP/1.1\r\nHost: other.example.com\r\n"
                "Origin: http://app.example.com\r\nConnection: close\r\n\r\n");
    CHECK(statuses(client.read_all()) == "200");
}
