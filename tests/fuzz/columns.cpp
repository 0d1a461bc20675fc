#include "fuzz/columns.hpp"

namespace rowcast::fuzz {

std::shared_ptr<const policy::table> every_column()
{
    using enum policy::type_family;
    static const auto made = std::make_shared<const policy::table>(policy::table{
        "public.everything",
        {
            {"boolean", "boolean", boolean},
            {"smallint", "smallint", smallint},
            {"integer", "integer", integer},
            {"bigint", "bigint", bigint},
            {"numeric", "numeric", numeric},
            {"real", "real", real},
            {"double", "double precision", double_precision},
            {"text", "text", text, other, true},
            {"words", "text", text},
            {"padded", "character(8)", padded_text},
            {"uuid", "uuid", uuid},
            {"date", "date", date},
            {"time", "time without time zone", time},
            {"timestamp", "timestamp without time zone", timestamp},
            {"timestamptz", "timestamp with time zone", timestamptz},
            {"enum", "status", enumeration, other, false, {"open", "paid", "sent"}},
            {"bytea", "bytea", bytea},
            {"jsonb", "jsonb", jsonb},
            {"integers", "integer[]", array, integer},
            {"texts", "text[]", array, text},
            {"json", "json", json},
            {"collated", "text", collated_text},
            {"point", "point", other},
        },
        {"integer"},
        true});
    return made;
}

} // namespace rowcast::fuzz
