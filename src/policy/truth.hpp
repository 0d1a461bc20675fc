#pragma once

namespace rowcast::policy {

// SQL's three-valued logic.
enum class truth { no, unknown, yes };

constexpr truth operator&&(truth left, truth right)
{
    return left < right ? left : right;
}

constexpr truth operator||(truth left, truth right)
{
    return left < right ? right : left;
}

constexpr truth operator!(truth operand)
{
    return static_cast<truth>(2 - static_cast<int>(operand));
}

// Which truths a predicate may come to, of a row that is known in part: a set of them.
class outcomes {
public:
    constexpr outcomes(truth only)
        : bits_(1U << static_cast<unsigned>(only))
    {
    }

    static constexpr outcomes any() { return outcomes(7U); }

    constexpr bool may_be(truth value) const { return (bits_ & (1U << static_cast<unsigned>(value))) != 0; }

    constexpr bool is(truth value) const { return bits_ == 1U << static_cast<unsigned>(value); }

    friend constexpr outcomes operator&&(outcomes left, outcomes right)
    {
        return combine(left, right, [](truth a, truth b) { return a && b; });
    }

    friend constexpr outcomes operator||(outcomes left, outcomes right)
    {
        return combine(left, right, [](truth a, truth b) { return a || b; });
    }

    friend constexpr outcomes operator!(outcomes operand)
    {
        return combine(operand, operand, [](truth a, truth) { return !a; });
    }

private:
    explicit constexpr outcomes(unsigned bits)
        : bits_(bits)
    {
    }

    template <class Operation>
    static constexpr outcomes combine(outcomes left, outcomes right, Operation operation)
    {
        constexpr truth all[] = {truth::no, truth::unknown, truth::yes};
        outcomes result(0U);
        for (const truth a : all) {
            for (const truth b : all) {
                if (left.may_be(a) && right.may_be(b)) {
                    result.bits_ |= outcomes(operation(a, b)).bits_;
                }
            }
        }
        return result;
    }

    unsigned bits_;
};

} // namespace rowcast::policy
