#include "engine/scenario/dial_plan.hpp"

#include "engine/scenario/arrivals.hpp"

namespace jackfield::scenario {

result<std::vector<dial_part>> parse_dial_plan(std::string_view place, std::string_view text) {
  std::vector<dial_part> plan;
  for (auto rest = text;;) {
    const auto comma = rest.find(',');
    auto digits = rest.substr(0, comma);
    dial_part part;
    if (!plan.empty())
      part.after = plan.back().after;
    if (const auto colon = digits.find(':'); colon != std::string_view::npos) {
      const auto at = parse_duration(place, digits.substr(0, colon));
      if (!at)
        return tl::unexpected{at.error()};
      if (*at < part.after)
        return fail(std::string{place}, "\"" + std::string{digits} +
                                          "\" is before the part that it follows, expected parts "
                                          "in the order of their times");
      part.after = *at;
      digits.remove_prefix(colon + 1);
    }
    if (digits.empty())
      return fail(std::string{place}, "\"" + std::string{text} +
                                        "\" has a part without digits, expected such as 12#, or "
                                        "2s:1234,10s:{pin}#");
    part.digits = digits;
    plan.push_back(std::move(part));
    if (comma == std::string_view::npos)
      return plan;
    rest.remove_prefix(comma + 1);
  }
}

} // namespace jackfield::scenario
