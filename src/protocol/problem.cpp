#include "protocol/problem.hpp"

#include "core/row.hpp"

namespace rowcast::protocol {

std::string problem(const core::failure& why)
{
    const core::error_info& known = core::describe(why.code);
    std::string out = "{\"type\":";
    core::append_quoted(out, "urn:rowcast:error:" + std::string(known.name));
    out += ",\"title\":";
    core::append_quoted(out, known.sentence);
    out += ",\"status\":" + std::to_string(known.http_status);
    if (!why.message.empty()) {
        out += ",\"detail\":";
        core::append_quoted(out, why.message);
    }
    out += ",\"code\":";
    core::append_quoted(out, known.name);
    out += '}';
    return out;
}

} // namespace rowcast::protocol
