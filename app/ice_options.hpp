#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/media/webrtc_settings.hpp"
#include "app/option_reader.hpp"
#include "engine/error/error.hpp"

namespace jackfield::app {

/// The texts of the options that say how ICE finds its way.
struct ice_texts {
  std::string stun;
  std::vector<std::string> turn;
  bool relay_only = false;
  bool lite = false; ///< not declared by all commands
};

/// Declares them in a group of a command's help.
void declare_ice(CLI::App& app, ice_texts& texts, const char* group);

/// Reads them; `webrtc`: such streams are wanted at all. Names are looked up, which may take as
/// long as DNS does. What is wrong is said without the password.
void read_ice(option_reader& reader, const ice_texts& texts, bool webrtc, webrtc_settings& into);

/// A command line's word as it may be shown: the password of a TURN server hidden.
[[nodiscard]] std::string without_turn_password(std::string_view word);

} // namespace jackfield::app
