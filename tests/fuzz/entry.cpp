#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "fuzz/fuzzer.hpp"
#include "core/row.hpp"
#include "protocol/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    rowcast::fuzz::parse({reinterpret_cast<const char*>(data), size});
    return 0;
}

namespace rowcast::fuzz {

void must(bool kept, std::string_view promise)
{
    if (!kept) {
        std::fprintf(stderr, "a promise is broken: %.*s\n", static_cast<int>(promise.size()), promise.data());
        std::abort();
    }
}

void must_be_readable(std::string_view message)
{
    std::string json;
    core::append_quoted(json, message);
    must(!message.empty(), "a refusal says why");
    must(protocol::parse_json(json).has_value(), "a refusal is UTF-8: " + std::string(message));
}

} // namespace rowcast::fuzz
