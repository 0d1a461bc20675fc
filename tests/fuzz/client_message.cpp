// What a WebSocket client says.

#include "protocol/client_message.hpp"

#include "fuzz/fuzzer.hpp"
#include "fuzz/wishes.hpp"
#include "protocol/json.hpp"
#include "protocol/server_message.hpp"

namespace rowcast::fuzz {
namespace {

using namespace protocol;

std::string describe(const client_message& message)
{
    struct {
        std::string operator()(const auth_message& said) const { return "auth " + said.token; }
        std::string operator()(const subscribe_message& said) const { return "subscribe " + fuzz::describe(said.wanted); }
        std::string operator()(const unsubscribe_message& said) const { return "unsubscribe " + said.id; }
        std::string operator()(const ping_message& said) const { return "ping " + said.id; }
    } words;
    return std::visit(words, message);
}

void check(const client_message& message)
{
    if (const auto* auth = std::get_if<auth_message>(&message)) {
        must(!auth->token.empty() && auth->token.size() <= longest_token, "a token has its limit");
    } else if (const auto* subscribe = std::get_if<subscribe_message>(&message)) {
        must_be_within_limits(subscribe->wanted);
    } else if (const auto* unsubscribe = std::get_if<unsubscribe_message>(&message)) {
        must(!unsubscribe->id.empty() && unsubscribe->id.size() <= longest_id, "an id has its limit");
    } else {
        const std::string& id = std::get<ping_message>(message).id;
        must(id.size() <= longest_id, "an id has its limit");
        must(parse_json(pong(id)).has_value(), "a pong is JSON");
    }
}

} // namespace

void parse(std::string_view input)
{
    const auto read = parse_client_message(input);
    if (const auto* refused = std::get_if<bad_message>(&read)) {
        must(refused->id.size() <= longest_id, "an id has its limit");
        must(parse_json(error(refused->id, refused->why)).has_value(), "a refusal is JSON: " + refused->why.message);
        return;
    }
    const auto& message = std::get<client_message>(read);
    check(message);
    // Written down by somebody else, it says the same.
    const auto again = parse_client_message(to_json(*parse_json(input)));
    must(std::holds_alternative<client_message>(again), "what was taken is taken again");
    must(describe(std::get<client_message>(again)) == describe(message), "what was taken means the same again");
}

} // namespace rowcast::fuzz
