// A row of the change log: JSON that PostgreSQL made of what any writer of the application has put into a table, or published.

#include "core/row.hpp"

#include "core/change.hpp"
#include "core/json_scanner.hpp"
#include "fuzz/columns.hpp"
#include "fuzz/fuzzer.hpp"
#include "policy/document.hpp"
#include "policy/scalar.hpp"
#include "policy/visibility.hpp"
#include "protocol/event_text.hpp"
#include "protocol/json.hpp"

namespace rowcast::fuzz {
namespace {

using namespace policy;

bool is_json(std::string_view text)
{
    core::json_scanner scan(text);
    std::string_view whole;
    return scan.value(whole) && scan.at_end();
}

void check_value(const column& of, std::string_view json)
{
    const auto text = canonical(of.family, json);
    if (!text) {
        return;
    }
    must(!text->empty(), "a canonical text is never empty");
    if (is_ordered(of)) {
        const auto order = compare(of, *text, *text);
        must(order == 0 || order == std::partial_ordering::unordered, "a value is as large as itself");
    }
}

void check_document(std::string_view json)
{
    const auto document = read_document(json);
    if (!document) {
        return;
    }
    const auto again = read_document(to_json(*document));
    must(again && *again == *document, "a document comes back as it was");
    must(contains(*document, *document), "a document contains itself");
}

void check_event(const core::row& row)
{
    core::change change;
    change.op = change.cause = core::operation::insert;
    change.table = every_column()->name;
    change.after = core::row::parse(std::string(row.json())).value();
    const visibility everything(every_column(), {{}}, {}, std::nullopt, true);
    const auto seen = everything.see(change);
    if (const auto* effect = std::get_if<policy::effect>(&seen)) {
        must(is_json("{" + protocol::event_text(change, effect)), "an event is JSON");
    }
}

} // namespace

void parse(std::string_view input)
{
    std::string quoted;
    core::append_quoted(quoted, input);
    must(is_json(quoted) && core::decode_string(quoted) == input, "every text is a JSON string, and comes back from it");

    const auto row = core::row::parse(std::string(input));
    if (!row) {
        must_be_readable(row.error().message);
        const bool marked = input.starts_with("\xEF\xBB\xBF"); // a byte order mark, which one of the two readers overlooks
        const auto tree = protocol::parse_json(marked ? "" : input, {input.size(), 512});
        must(!tree || !tree->as_object() || tree->as_object()->size() > 1600, "every object is a row");
        return;
    }
    must(row->json() == input, "a row stays as it was written");
    for (std::size_t i = 0; i < row->size(); ++i) {
        const auto [name, value] = (*row)[i];
        must(is_json(value), "a value is JSON");
        must(row->find(name, i) == value && row->find(name).has_value(), "a column is found by its name");
        check_document(value);
        for (const column& each : every_column()->columns) {
            check_value(each, value);
        }
    }
    check_event(*row);
}

} // namespace rowcast::fuzz
