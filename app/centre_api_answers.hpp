#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "app/http/messages.hpp"
#include "app/http/target.hpp"

namespace jackfield::app {

// What the API's routes make their answers of.

constexpr uint64_t usual_page = 100; ///< entries of a list
constexpr uint64_t longest_page = 1000;

[[nodiscard]] http::answer json_answer(std::string body, unsigned status = 200);
/// 503: who was asked did not answer.
[[nodiscard]] http::answer nothing_said();

/// Which part of a list is wanted: from `first` up to `end`.
struct page {
  size_t first = 0;
  size_t end = 0;
};
/// By the parameters `limit` and `after`, the name of the last one seen; or what is wrong with
/// them, or with any other.
template <class Named>
[[nodiscard]] tl::expected<page, http::answer> page_of(const http::target& target,
                                                       const std::vector<Named>& all) {
  http::query_reader query{target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto after = query.text("after");
  if (auto fault = query.finish())
    return tl::unexpected{std::move(*fault)};
  page out;
  if (after) {
    const auto found = std::ranges::find(all, *after, &Named::name);
    if (found == all.end())
      return tl::unexpected{
        http::problem(400, "\"" + *after + "\" is no name of this list", "after")};
    out.first = static_cast<size_t>(found - all.begin()) + 1;
  }
  out.end = std::min<size_t>(all.size(), out.first + limit);
  return out;
}

template <class T>
[[nodiscard]] std::vector<T> part_of(const std::vector<T>& all, const page& which) {
  return {all.begin() + static_cast<std::ptrdiff_t>(which.first),
          all.begin() + static_cast<std::ptrdiff_t>(which.end)};
}

/// What `after` is to be for those behind a page; empty: there are none.
template <class Named>
[[nodiscard]] std::string next_of(const std::vector<Named>& all, const page& which) {
  return which.end < all.size() && which.end > which.first ? all[which.end - 1].name
                                                           : std::string{};
}

} // namespace jackfield::app
