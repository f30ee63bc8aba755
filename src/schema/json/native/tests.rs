//! Native and library must agree.
