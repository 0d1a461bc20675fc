#include "net/caller.hpp"

#include <utility>

#include "protocol/query_string.hpp"

namespace rowcast::net {
namespace {

using core::error_code;
using core::failure;
using core::result;

bool starts_with_bearer(std::string_view text)
{
    constexpr std::string_view scheme = "bearer ";
    for (std::size_t i = 0; i < scheme.size(); ++i) {
        if (i >= text.size() || (text[i] | 0x20) != (scheme[i] | 0x20)) {
            return false;
        }
    }
    return true;
}

} // namespace

result<std::optional<std::string>> find_token(const request& from)
{
    auto parameters = protocol::parse_query(from.query);
    if (!parameters) {
        return parameters.error();
    }
    std::optional<std::string> token;
    for (protocol::parameter& given : *parameters) {
        if (given.name == "access_token") {
            if (token) {
                return failure{error_code::bad_request, "'access_token' is given twice"};
            }
            token = std::move(given.value);
        }
    }
    if (from.authorization.empty()) {
        return token;
    }
    if (token) {
        return failure{error_code::bad_request, "the token is given twice, in the header and in the URL"};
    }
    if (!starts_with_bearer(from.authorization)) {
        return failure{error_code::token_invalid, "the Authorization header is not of the kind 'Bearer TOKEN'"};
    }
    std::string_view rest = from.authorization;
    rest.remove_prefix(std::min(rest.find_first_not_of(' ', 6), rest.size()));
    return std::optional<std::string>(rest);
}

result<policy::identity> identify(const request& from, const services& with)
{
    auto token = find_token(from);
    if (!token) {
        return token.error();
    }
    return *token ? with.authenticate(std::string_view(**token)) : with.authenticate(std::nullopt);
}

result<void> admit(const policy::identity& who, std::string_view session, const services& with)
{
    return with.admit ? with.admit(who, session) : result<void>();
}

result<void> check_expiry(const policy::identity& who, moment now)
{
    const auto ends = who.ends();
    if (ends && *ends <= now.unix_seconds) {
        return failure{error_code::token_expired, "the token has expired; connect with a fresh one"};
    }
    return {};
}

authorization authorize(const protocol::wish& wanted, const policy::identity& caller, const services& with)
{
    const permissions now = with.permitted();
    if (!now.rules || !now.tables) {
        return failure{error_code::unavailable, ""};
    }
    const auto* channel = std::get_if<protocol::wish::channel>(&wanted.to);
    const auto* table = std::get_if<protocol::wish::table>(&wanted.to);
    const auto over = table ? now.tables->find(table->name) : nullptr;
    if (table && !over) {
        return failure{error_code::unknown_table,
                       "no table '" + table->name + "' is watched (a name has its schema, as in public.orders)"};
    }
    hub::feed::request out;
    out.id = wanted.id;
    out.snapshot = wanted.snapshot;
    policy::identity with_sets;
    const policy::identity* who = &caller;
    if (auto needed = channel ? policy::needed_sets_of_channel(*now.rules, channel->name, caller)
                              : policy::needed_sets(*now.rules, table->name, caller);
        !needed.empty()) {
        with_sets = caller;
        who = &with_sets;
        std::erase_if(needed, [&](const policy::set_call& each) {
            auto found = with.find_set ? with.find_set(each) : nullptr;
            if (found) {
                out.view.sets.push_back(found);
                with_sets.sets.insert_or_assign(each.of->name, found);
            }
            return found != nullptr;
        });
        if (!needed.empty()) {
            return needed;
        }
    }
    if (channel) {
        if (wanted.snapshot) {
            return failure{error_code::bad_request, "a channel has no rows ('snapshot')"};
        }
        if (auto allowed = policy::authorize_channel(*now.rules, channel->name, *who); !allowed) {
            return allowed.error();
        }
        out.view.target = hub::view_spec::channel{channel->name};
        return out;
    }
    auto seen = policy::authorize(*now.rules, over, *who, table->wanted);
    if (!seen) {
        return seen.error();
    }
    out.view.target = std::make_shared<const policy::visibility>(std::move(*seen));
    out.operations = table->events;
    return out;
}

bool still_has(std::string_view rights, const authorization& now)
{
    if (const auto* request = std::get_if<hub::feed::request>(&now)) {
        return request->view.rights() == rights;
    }
    const auto* why = std::get_if<failure>(&now);
    return why && why->code == error_code::unavailable;
}

} // namespace rowcast::net
