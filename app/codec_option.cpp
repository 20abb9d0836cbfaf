#include "app/codec_option.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "engine/sdp/codec.hpp"

namespace jackfield::app {

result<std::vector<audio::codec>> read_codecs(std::string_view text) {
  constexpr std::array all{audio::codec::pcmu, audio::codec::pcma, audio::codec::g722,
                           audio::codec::opus};
  std::vector<audio::codec> made;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    const auto name = text.substr(0, comma);
    const auto known = std::find_if(all.begin(), all.end(), [&](audio::codec c) {
      return sdp::equal_names(audio::traits_of(c).name, name);
    });
    if (known == all.end())
      return fail("--codecs", "\"" + std::string{name} +
                                "\" is no codec of ours, expected opus, G722, PCMU or PCMA");
    if (std::find(made.begin(), made.end(), *known) == made.end())
      made.push_back(*known);
    more = comma != std::string_view::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
  }
  return made;
}

} // namespace jackfield::app
