#include "postgres/server_words.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rowcast::postgres {
namespace {

std::string trimmed(std::string_view text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    return std::string(text);
}

std::string one_line(std::string_view words)
{
    std::string text = trimmed(words);
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::replace(text.begin(), text.end(), '\t', ' ');
    return text;
}

void add_sentence(std::string& text, std::string_view label, std::string_view sentence)
{
    if (!sentence.empty()) {
        text += "\n";
        text += label;
        text += sentence;
    }
}

// "ERROR" of "ERROR:  relation ..."; a server may say it in another language.
std::string_view severity_of(std::string_view text)
{
    const auto end = text.find(":  ");
    return end == std::string_view::npos || text.find('\n') < end ? std::string_view{} : text.substr(0, end);
}

} // namespace

server_words read_words(std::string_view text)
{
    server_words words;
    words.severity = severity_of(text);
    if (!words.severity.empty()) {
        text.remove_prefix(words.severity.size() + 3);
    }
    std::string ignored;
    const std::array<std::pair<std::string_view, std::string*>, 5> sections = {{{"DETAIL:  ", &words.detail},
                                                                                {"HINT:  ", &words.hint},
                                                                                {"LINE ", &ignored},
                                                                                {"QUERY:  ", &ignored},
                                                                                {"CONTEXT:  ", &ignored}}};
    std::string* into = &words.message;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        for (const auto& [label, section] : sections) {
            if (line.starts_with(label)) {
                line.remove_prefix(label.size());
                into = section;
            }
        }
        *into += line;
        *into += '\n';
    }
    for (std::string* each : {&words.message, &words.detail, &words.hint}) {
        *each = trimmed(*each);
    }
    return words;
}

database_error refused(const server_words& words, const std::string& place, const std::string& user)
{
    const std::string better = words.hint.empty() ? advice(words.sqlstate, words.message, user) : words.hint;
    std::string text = words.message;
    add_sentence(text, "detail: ", words.detail);
    add_sentence(text, "hint: ", better);
    text += "\n(" + place + (words.sqlstate.empty() ? "" : ", SQLSTATE " + words.sqlstate) + ")";
    return database_error(text, words.sqlstate, better);
}

std::string notice_text(const server_words& words)
{
    std::string text = words.severity.empty() ? words.message : words.severity + ": " + words.message;
    add_sentence(text, "  detail: ", words.detail);
    add_sentence(text, "  hint: ", words.hint);
    return text;
}

connection_lost not_connected(const std::string& place, std::string_view words)
{
    const std::string better = connect_advice(words);
    std::string text = "cannot connect to " + place + ": " + trimmed(words);
    add_sentence(text, "", better);
    return connection_lost(text, "", better);
}

connection_lost lost(const std::string& place, std::string_view words)
{
    return connection_lost("lost the connection to " + place + ": " + one_line(words), "", "");
}

void check_server_version(int version, const std::string& text, const std::string& place)
{
    if (version < 130000) {
        const std::string hint = "Upgrade PostgreSQL, and run rowcast install there.";
        throw database_error(place + " runs PostgreSQL " + text + "; rowcast needs 13 or later. " + hint, "", hint);
    }
}

} // namespace rowcast::postgres
