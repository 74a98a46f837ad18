"""The platform of a wheel: any, or what AFTERCART_PLATFORM says of the library that was put into src/aftercart."""

import os

from setuptools import setup

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel


class Wheel(bdist_wheel):
    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = "AFTERCART_PLATFORM" not in os.environ

    def get_tag(self):
        return "py3", "none", os.environ.get("AFTERCART_PLATFORM", "any")


setup(cmdclass={"bdist_wheel": Wheel})
