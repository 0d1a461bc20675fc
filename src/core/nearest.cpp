#include "core/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace rowcast::core {
namespace {

// Longer words come from somebody who is not mistyping; they are not worth their square.
constexpr std::size_t longest_word = 64;

std::size_t distance(std::string_view left, std::string_view right)
{
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 0; i < left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < right.size(); ++j) {
            const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates)
{
    std::string_view best;
    if (word.size() > longest_word) {
        return best;
    }
    // Two letters swapped are a distance of two.
    std::size_t least = (word.size() < 4 ? 1 : std::max<std::size_t>(word.size() / 3, 2)) + 1;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > longest_word) {
            continue;
        }
        if (const std::size_t apart = distance(word, candidate); apart < least) {
            least = apart;
            best = candidate;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates)
{
    const std::string_view meant = nearest(word, candidates);
    return meant.empty() ? std::string() : "; did you mean '" + std::string(meant) + "'?";
}

} // namespace rowcast::core
