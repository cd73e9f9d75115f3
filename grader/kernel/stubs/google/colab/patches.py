"""Stand-in for `google.colab.patches`."""


def cv2_imshow(*_arguments: object, **_options: object) -> None:
    """Say that the image is not shown."""
    print("Aquí no se muestra esta imagen; usa plt.imshow para verla.")
