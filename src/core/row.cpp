#include "core/row.hpp"

#include <limits>

#include "core/json_scanner.hpp"

namespace rowcast::core {
namespace {

constexpr std::size_t most_columns = 1600; // PostgreSQL's MaxHeapAttributeNumber

failure malformed_row(std::string_view why)
{
    return {error_code::malformed, "a row of the change log is not a JSON object: " + std::string(why)};
}

} // namespace

result<row> row::parse(std::string json)
{
    if (json.size() > std::numeric_limits<std::uint32_t>::max() / 2) {
        return malformed_row("larger than 2 GB");
    }
    row read;
    read.text_ = std::move(json);
    read.json_size_ = read.text_.size();

    std::string decoded_names;
    json_scanner scan(read.text_);
    const auto offset = [&](std::string_view part) { return static_cast<std::uint32_t>(part.data() - read.text_.data()); };
    const bool complete = scan.object([&](std::string_view name, std::string_view value) {
        slice cut{offset(name) + 1, static_cast<std::uint32_t>(name.size() - 2), offset(value), static_cast<std::uint32_t>(value.size())};
        if (name.find('\\') != std::string_view::npos) {
            const auto decoded = decode_string(name);
            if (!decoded) {
                return false;
            }
            cut.name = static_cast<std::uint32_t>(read.json_size_ + decoded_names.size());
            cut.name_size = static_cast<std::uint32_t>(decoded->size());
            decoded_names += *decoded;
        }
        read.fields_.push_back(cut);
        return read.fields_.size() <= most_columns;
    });
    if (!complete || !scan.at_end()) {
        return malformed_row(read.fields_.size() > most_columns ? "too many fields" : "syntax error");
    }
    read.text_ += decoded_names;
    return read;
}

field row::operator[](std::size_t index) const
{
    const slice& cut = fields_[index];
    const std::string_view text = text_;
    return {text.substr(cut.name, cut.name_size), text.substr(cut.value, cut.value_size)};
}

std::optional<std::string_view> row::find(std::string_view column, std::size_t hint) const
{
    if (hint < fields_.size() && (*this)[hint].name == column) {
        return (*this)[hint].value;
    }
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (const field candidate = (*this)[i]; candidate.name == column) {
            return candidate.value;
        }
    }
    return std::nullopt;
}

} // namespace rowcast::core
