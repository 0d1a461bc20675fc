// The query of a URL: `/v1/sse?...`, `/v1/changes?...` or `/v1/rows?...`.

#include "protocol/url_request.hpp"

#include <algorithm>

#include "fuzz/fuzzer.hpp"
#include "fuzz/wishes.hpp"
#include "protocol/json.hpp"
#include "protocol/problem.hpp"
#include "protocol/query_string.hpp"

namespace rowcast::fuzz {
namespace {

using namespace protocol;

std::string percent_encode(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += {'%', "0123456789ABCDEF"[byte >> 4], "0123456789abcdef"[byte & 15]};
    }
    return out;
}

std::string encode(const std::vector<parameter>& all)
{
    std::string out;
    for (const parameter& each : all) {
        out += (out.empty() ? "" : "&") + percent_encode(each.name) + "=" + percent_encode(each.value);
    }
    return out;
}

std::string describe(const url_request& asked)
{
    std::string out = asked.after.value_or("-") + " " + std::to_string(asked.limit) + " " + std::to_string(asked.wait.count());
    for (const wish& each : asked.wishes) {
        out += "; " + fuzz::describe(each);
    }
    return out;
}

void check(const url_request& asked, resource of)
{
    must(!asked.wishes.empty(), "a request has a subscription");
    must(asked.named || asked.wishes.size() == 1, "several subscriptions have names");
    must(asked.limit <= most_events, "`limit` has its limit");
    must(asked.wait.count() >= 0 && asked.wait <= longest_wait, "`wait` has its limit");
    must(of == resource::changes || asked.wait.count() == 0, "`wait` is of /v1/changes alone");
    must(of != resource::rows || !asked.after, "rows are after nothing");
    for (const wish& each : asked.wishes) {
        must_be_within_limits(each);
        const auto same = [&](const wish& other) { return other.id == each.id; };
        must(std::count_if(asked.wishes.begin(), asked.wishes.end(), same) == 1, "a name stands for one subscription");
    }
}

} // namespace

void parse(std::string_view input)
{
    const resource of = input.starts_with("/v1/rows?")      ? resource::rows
                        : input.starts_with("/v1/changes?") ? resource::changes
                                                            : resource::sse;
    const std::string_view query = input.substr(std::min(input.find('?'), input.size() - 1) + 1);
    const auto parameters = parse_query(query);
    const auto asked = parse_url_request(query, of);
    if (!asked) {
        must(parse_json(problem(asked.error())).has_value(), "a refusal is JSON: " + asked.error().message);
        return;
    }
    check(*asked, of);
    must(parameters.has_value(), "the query of a request is one");
    const auto again = parse_url_request(encode(*parameters), of);
    must(again.has_value(), "every character may be written as its bytes");
    must(describe(*again) == describe(*asked), "and means the same");
}

} // namespace rowcast::fuzz
