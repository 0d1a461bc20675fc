#include "config/yaml.hpp"

#include "core/json_scanner.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

namespace rowcast::config {
namespace {

core::mark to_mark(const YAML::Mark& mark)
{
    return {mark.line + 1, mark.column + 1};
}

bool is_number(std::string_view text)
{
    core::json_scanner scan(text);
    std::string_view whole;
    const bool begins = !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
    return begins && scan.value(whole) && whole.size() == text.size();
}

core::value plain(const std::string& text)
{
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
        return {nullptr};
    }
    if (text == "true" || text == "True" || text == "TRUE") {
        return {true};
    }
    if (text == "false" || text == "False" || text == "FALSE") {
        return {false};
    }
    if (is_number(text)) {
        return {core::number{text}};
    }
    return {text};
}

std::size_t count(const core::value& tree)
{
    std::size_t sum = 1;
    if (const core::list* items = tree.as_list()) {
        for (const core::value& item : *items) {
            sum += count(item);
        }
    } else if (const core::object* members = tree.as_object()) {
        for (const core::member& each : *members) {
            sum += 1 + count(each.second);
        }
    }
    return sum;
}

// Thrown through the parser: there is no use in reading on.
struct too_large {
    core::mark at;
};

// Builds the tree from the parser's events rather than from YAML::Node, which tells neither quoted from plain scalars
// nor duplicate keys, and expands aliases without limit.
class tree_builder : public YAML::EventHandler {
public:
    tree_builder(const environment& names, std::vector<problem>& problems)
        : names_(names)
        , problems_(problems)
    {
    }

    core::value take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { place({nullptr, to_mark(mark)}, anchor); }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            complain(mark, "the alias is inside of what it stands for");
            place({nullptr, to_mark(mark)}, 0);
            return;
        }
        nodes_ += count(found->second);
        check_size(mark);
        place(found->second, 0);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override
    {
        const bool quoted = tag == "!";
        if (!quoted && tag != "?" && !tag.empty()) {
            complain(mark, "tags like " + tag + " are not used here");
        }
        core::value made = quoted ? core::value{value} : plain(value);
        if (!open_.empty() && open_.back().expects_key()) {
            made.data = value;
        } else if (value.find('$') != std::string::npos) {
            auto read = expand(value, names_);
            if (auto* expanded = std::get_if<expansion>(&read)) {
                made.data = std::move(expanded->text);
            } else {
                complain(mark, std::get<std::string>(read));
            }
        }
        made.at = to_mark(mark);
        place(std::move(made), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override
    {
        open_.push_back({core::value{core::list{}, to_mark(mark)}, anchor, {}, false, {}});
        check_size(mark);
    }

    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override
    {
        open_.push_back({core::value{core::object{}, to_mark(mark)}, anchor, {}, true, {}});
        check_size(mark);
    }

    void OnMapEnd() override { close(); }

private:
    struct collection {
        core::value made;
        YAML::anchor_t anchor;
        std::optional<std::string> key; // whose value comes next
        bool is_map;
        std::map<std::string, core::mark> keys;

        bool expects_key() const { return is_map && !key; }
    };

    void complain(const YAML::Mark& mark, std::string message)
    {
        problems_.push_back({to_mark(mark), std::move(message)});
    }

    void check_size(const YAML::Mark& mark)
    {
        if (++nodes_ > most_yaml_nodes) {
            throw too_large{to_mark(mark)};
        }
    }

    void close()
    {
        collection done = std::move(open_.back());
        open_.pop_back();
        place(std::move(done.made), done.anchor);
    }

    void place(core::value made, YAML::anchor_t anchor)
    {
        if (anchor != 0) {
            anchors_[anchor] = made;
        }
        if (open_.empty()) {
            root_ = std::move(made);
            return;
        }
        collection& into = open_.back();
        if (!into.is_map) {
            std::get<core::list>(into.made.data).push_back(std::move(made));
        } else if (into.key) {
            std::get<core::object>(into.made.data).emplace_back(std::move(*into.key), std::move(made));
            into.key.reset();
        } else {
            into.key = key(into, made);
        }
    }

    std::string key(collection& into, const core::value& made)
    {
        const std::string* name = made.as_string();
        if (!name) {
            problems_.push_back({made.at, "a key must be a plain text, and this is " + std::string(made.kind())});
            return {};
        }
        const auto [first, added] = into.keys.emplace(*name, made.at);
        if (!added) {
            problems_.push_back(
                {made.at, "the key '" + *name + "' was given already, in line " + std::to_string(first->second.line)});
        }
        return *name;
    }

    const environment& names_;
    std::vector<problem>& problems_;
    core::value root_;
    std::vector<collection> open_;
    std::map<YAML::anchor_t, core::value> anchors_;
    std::size_t nodes_ = 0;
};

} // namespace

core::value read_yaml(const std::string& text, const environment& names, std::vector<problem>& problems)
{
    tree_builder builder(names, problems);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        if (parser.HandleNextDocument(builder)) {
            core::value tree = builder.take();
            tree_builder ignored(names, problems);
            if (parser.HandleNextDocument(ignored)) {
                problems.push_back({{}, "the file has more than one YAML document"});
            }
            return tree;
        }
    } catch (const YAML::Exception& failed) {
        problems.push_back({to_mark(failed.mark), "not YAML: " + failed.msg});
    } catch (const too_large& stopped) {
        problems.push_back({stopped.at, "more than " + std::to_string(most_yaml_nodes) +
                                            " values; aliases multiply what they stand for"});
    }
    return {};
}

} // namespace rowcast::config
