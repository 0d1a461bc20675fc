#include "protocol/url_request.hpp"

#include <catch2/catch.hpp>

#include "support/result.hpp"

#include <random>

using namespace rowcast;
using protocol::parse_url_request;
using protocol::resource;
using protocol::wish;

TEST_CASE("a request for one table", "[protocol]")
{
    auto read = parse_url_request("table=public.orders&status=in.(open,paid)&total=gte.1&total=lt.9&columns=id,status&events=INSERT"
                                  "&old=true&after=abc&limit=7&wait=25",
                                  resource::changes);
    REQUIRE(read);
    CHECK_FALSE(read->named);
    CHECK(read->after == "abc");
    CHECK(read->limit == 7);
    CHECK(read->wait.count() == 25);
    const auto& to = std::get<wish::table>(read->wishes.at(0).to);
    CHECK(to.name == "public.orders");
    CHECK(to.wanted.columns == std::vector<std::string>{"id", "status"});
    CHECK(to.wanted.old);
    std::vector<std::string> filtered;
    to.wanted.where.columns(filtered);
    CHECK(std::count(filtered.begin(), filtered.end(), "total") >= 1);
    CHECK(std::count(filtered.begin(), filtered.end(), "status") == 1);
}

TEST_CASE("a request for several subscriptions, each with a query of its own", "[protocol]")
{
    auto read = parse_url_request("sub=o%3Apublic.orders%3Fstatus%3Deq.a%252526b%26columns%3Did&sub=q:public.%22Odd%20Table%22"
                                  "&sub=r:?channel%3Droom:42&after=c",
                                  resource::sse);
    REQUIRE(read);
    CHECK(read->named);
    REQUIRE(read->wishes.size() == 3);
    CHECK(read->wishes[0].id == "o");
    CHECK(std::get<wish::table>(read->wishes[0].to).name == "public.orders");
    CHECK(std::get<wish::table>(read->wishes[1].to).name == "public.\"Odd Table\"");
    CHECK(std::get<wish::channel>(read->wishes[2].to).name == "room:42");
}

TEST_CASE("column names with commas are quoted", "[protocol]")
{
    auto read = parse_url_request("table=t&columns=%22a,b%22,c,%22d%22%22e%22", resource::sse);
    REQUIRE(read);
    CHECK(std::get<wish::table>(read->wishes[0].to).wanted.columns == std::vector<std::string>{"a,b", "c", "d\"e"});
}

TEST_CASE("a bad request is refused by the name of its parameter", "[protocol]")
{
    const auto [query, named] = GENERATE(table<std::string, std::string>({
        {"", "'table' or a 'channel'"},
        {"table=a&table=b", "'table' is given twice"},
        {"table=", "'table' is empty"},
        {"table=a&channel=b", "not to both"},
        {"channel=a&columns=b", "a channel has no"},
        {"table=a&limit=0", "'limit'"},
        {"table=a&limit=10001", "'limit'"},
        {"table=a&limit=1e3", "'limit'"},
        {"table=a&wait=61", "'wait'"},
        {"table=a&wait=-1", "'wait'"},
        {"table=a&after=", "'after' is empty"},
        {"table=a&after=b&after=c", "'after' is given twice"},
        {"table=a&old=yes", "'old'"},
        {"table=a&events=INSRT", "did you mean 'INSERT'?"},
        {"table=a&columns=b,,c", "'columns' has an empty name"},
        {"table=a&columns=b,b", "twice"},
        {"table=a&colums=id,status", "did you mean 'columns'?"},
        {"sub=o:t&table=a", "not both"},
        {"sub=o", "NAME:TABLE"},
        {"sub=:t", "'sub' is empty"},
        {"sub=o:", "'table' or a 'channel'"},
        {"sub=o:t?limit%3D1", "whole request"},
        {"sub=o:t?table%3Du", "'table' is given twice"},
        {"sub=o:t&sub=o:u", "the name 'o'"},
        {"table=a&status=eqq.1", "did you mean 'eq'?"},
    }));
    INFO(query);
    auto read = parse_url_request(query, resource::changes);
    REQUIRE_FALSE(read);
    INFO(read.error().message);
    CHECK(read.error().message.find(named) != std::string::npos);
}

TEST_CASE("a resource has its own parameters only", "[protocol]")
{
    CHECK(parse_url_request("table=a&wait=1", resource::sse).error().message.find("no parameter 'wait'") != std::string::npos);
    CHECK(parse_url_request("table=a&after=1", resource::rows).error().message.find("no parameter 'after'") != std::string::npos);
    for (const std::string name : {"old", "snapshot", "events"}) {
        const std::string value = name == "events" ? "=INSERT,UPDATE,DELETE" : "=false";
        CHECK(parse_url_request("table=a&" + name + value, resource::rows).error().message.find("no parameter '" + name + "'") != std::string::npos);
        CHECK(parse_url_request("sub=o:a%3F" + name + value, resource::rows).error().message.find("no parameter '" + name + "'") != std::string::npos);
        CHECK(parse_url_request("table=a&" + name + value, resource::sse));
    }
}

TEST_CASE("random queries are read or refused, never anything else", "[protocol]")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const std::vector<std::string> words{"table",  "=",    "&",   "sub",   "o:t", "?",    "%3D", "%26", "eq.", "in.(",   ")",  "(",
                                         "\"",     ",",    "or",  "and(",  "not.", "a",   "1",   "%",   "\\",  "is.null", "%22", "columns",
                                         "after=", "limit=", "+", "\xc3"};
    for (int round = 0; round < 20'000; ++round) {
        std::string query;
        for (std::size_t i = random() % 14; i > 0; --i) {
            query += words[random() % words.size()];
        }
        INFO(query);
        auto read = parse_url_request(query, resource::changes);
        if (!read) {
            REQUIRE_FALSE(read.error().message.empty());
        }
    }
}
