#include "policy/fingerprint.hpp"

#include "core/base64url.hpp"
#include "policy/bound_node.hpp"

#include <array>
#include <cstdint>
#include <set>

namespace rowcast::policy {
namespace {

// Everything in one text, in which no two different ones look alike.
class writer {
public:
    writer(const rules& all, const identity& who)
        : all_(all)
        , who_(who)
    {
    }

    void add(std::string_view name, const std::vector<rule>& given)
    {
        for (const rule& each : given) {
            if (!is_for(each, who_)) {
                continue;
            }
            append_counted(text_, name);
            add(each.where);
            text_ += each.columns ? '(' : '*';
            for (const std::string& column : each.columns ? std::set(each.columns->begin(), each.columns->end()) : std::set<std::string>()) {
                append_counted(text_, column);
            }
        }
    }

    const std::string& text() const { return text_; }

private:
    void add(const predicate& where)
    {
        if (where.always()) {
            text_ += '*';
            return;
        }
        if (const auto* only = std::get_if<predicate::condition>(&where.node())) {
            append_counted(text_, only->column);
            text_ += static_cast<char>('a' + static_cast<int>(only->comparison));
            add(only->right);
            return;
        }
        const auto& group = std::get<predicate::group>(where.node());
        text_ += "&|!"[static_cast<std::size_t>(group.of)];
        for (const predicate& part : group.parts) {
            add(part);
        }
        text_ += ')';
    }

    void add(const predicate::operand& right)
    {
        if (const auto* literal = std::get_if<core::value>(&right)) {
            add(*literal);
            return;
        }
        const auto& named = std::get<predicate::reference>(right);
        if (named.from == predicate::reference::kind::claims) {
            const core::value* claim = find_claim(who_.claims, named.name());
            add(claim ? *claim : core::value{});
        } else if (const auto found = all_.sets.find(named.name()); found != all_.sets.end()) {
            append_counted(text_, found->second->text());
            for (const predicate::operand& each : found->second->parameters) {
                add(each);
            }
        }
    }

    void add(const core::value& value)
    {
        if (const bool* boolean = value.as_bool()) {
            text_ += *boolean ? 't' : 'f';
        } else if (const core::number* number = value.as_number()) {
            append_counted(text_ += '#', number->digits);
        } else if (const std::string* text = value.as_string()) {
            append_counted(text_ += '"', *text);
        } else if (const core::list* items = value.as_list()) {
            text_ += '[';
            for (const core::value& each : *items) {
                add(each);
            }
            text_ += ']';
        } else if (const core::object* members = value.as_object()) {
            text_ += '{';
            for (const auto& [name, member] : *members) {
                append_counted(text_, name);
                add(member);
            }
            text_ += '}';
        } else {
            text_ += '0';
        }
    }

    const rules& all_;
    const identity& who_;
    std::string text_;
};

} // namespace

std::string fingerprint(const rules& all, const identity& who)
{
    writer write(all, who);
    for (const auto& [table, given] : all.tables) {
        write.add(table, given);
    }
    for (const auto& [pattern, given] : all.channels) {
        write.add("#" + pattern, given);
    }
    std::uint64_t hash = 14695981039346656037U; // FNV-1a
    for (const char c : write.text()) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    std::array<char, 6> bytes{};
    for (char& each : bytes) {
        each = static_cast<char>(hash & 0xFF);
        hash >>= 8U;
    }
    return core::to_base64url({bytes.data(), bytes.size()});
}

} // namespace rowcast::policy
