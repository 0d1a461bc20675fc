#include "protocol/json.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <utility>
#include <vector>

#include "core/excerpt.hpp"
#include "core/row.hpp"

namespace rowcast::protocol {
namespace {

using core::excerpt;

// Builds the tree as nlohmann's parser reports its parts: that parser has no depth of its own, and gives the digits of
// every number that a 64 bit integer cannot hold.
class tree_builder final : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit tree_builder(std::size_t deepest) : deepest_(deepest) {}

    bool null() override { return add({nullptr}); }
    bool boolean(bool what) override { return add({what}); }
    bool number_integer(number_integer_t what) override { return add({core::number::of(what)}); }
    bool number_unsigned(number_unsigned_t what) override { return add({core::number::of(what)}); }
    bool number_float(number_float_t, const string_t& digits) override { return add({core::number{digits}}); }
    bool string(string_t& what) override { return add({std::move(what)}); }
    bool binary(binary_t&) override { return false; }

    bool start_object(std::size_t) override { return open({core::object{}}); }
    bool start_array(std::size_t) override { return open({core::list{}}); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override
    {
        if (!open_.back().names.insert(name).second) {
            why_ = "the member " + excerpt(name) + " is there twice";
            return false;
        }
        open_.back().name = std::move(name);
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override
    {
        why_ = "syntax error at byte " + std::to_string(position);
        return false;
    }

    core::value take() { return std::move(root_); }
    const std::string& why() const { return why_; }

private:
    struct level {
        core::value value;
        std::string name; // of the member that is being read
        std::set<std::string> names;
    };

    bool open(core::value what)
    {
        if (open_.size() == deepest_) {
            why_ = "nested deeper than " + std::to_string(deepest_) + " levels";
            return false;
        }
        open_.push_back({std::move(what), {}, {}});
        return true;
    }

    bool close()
    {
        core::value whole = std::move(open_.back().value);
        open_.pop_back();
        return add(std::move(whole));
    }

    bool add(core::value what)
    {
        if (open_.empty()) {
            root_ = std::move(what);
        } else if (auto* list = std::get_if<core::list>(&open_.back().value.data)) {
            list->push_back(std::move(what));
        } else {
            std::get<core::object>(open_.back().value.data).emplace_back(std::move(open_.back().name), std::move(what));
        }
        return true;
    }

    std::size_t deepest_;
    core::value root_;
    std::vector<level> open_;
    std::string why_;
};

} // namespace

core::result<core::value> parse_json(std::string_view text, const json_limits& limits)
{
    if (text.size() > limits.bytes) {
        return core::failure{core::error_code::message_too_large,
                             "more than " + std::to_string(limits.bytes) + " bytes of JSON"};
    }
    // For nlohmann's parser the text ends at a zero byte, whatever follows. JSON has none anywhere.
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
        return core::failure{core::error_code::malformed, "not valid JSON: syntax error at byte " + std::to_string(zero + 1)};
    }
    tree_builder builder(limits.depth);
    if (!nlohmann::json::sax_parse(text, &builder)) {
        return core::failure{core::error_code::malformed, "not valid JSON: " + builder.why()};
    }
    return builder.take();
}

} // namespace rowcast::protocol
